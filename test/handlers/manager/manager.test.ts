import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import type { FileEvent } from "../../../events/event";
import { newItem } from "../../../events/item";
import { MANAGER_ROUTES } from "../../../handlers/manager/routes";
import { itemOf } from "../../../testing/events";
import { describedFetch } from "../../openapi/described";
import { lintDocument } from "../../openapi/generatorRules";
import { type Managed, startManaged } from "./managed";

interface Refusal {
  error: { code: string; message: string };
}

describe("the event manager", function () {
  let managed: Managed;

  before(async () => {
    managed = await startManaged();
  });

  after(() => managed.stop());

  afterEach(() => managed.expectStatsToAgree());

  function output(name: string): string {
    return String(managed.run.outputs[name]);
  }

  async function notified(name: string): Promise<string> {
    const id = await managed.upload(name);
    await managed.run.idle();
    return id;
  }

  async function refusal(route: string, init?: RequestInit) {
    const { status, body } = await managed.ask(route, init);
    return { status, ...(body as unknown as Refusal).error };
  }

  describe("without a key", () => {
    const paths = MANAGER_ROUTES.map(({ method, path }) => [
      method,
      path.replace("{event_id}", randomUUID()),
    ]);
    for (const [method = "", path = ""] of [...paths, ["GET", "/nothing"], ["PUT", "/events"]]) {
      it(`answers 403 to ${method} ${path.replace(/[0-9a-f-]{36}/, "ID")}`, async () => {
        const answers = await Promise.all(
          [{}, { "x-api-key": "" }, { "x-api-key": "not-the-key" }].map((headers) =>
            describedFetch(`${output("managerUrl")}${path}`, { method, headers }),
          ),
        );
        for (const answer of answers) {
          expect(answer.status).to.equal(403);
          expect((answer.body as Refusal).error.code).to.equal("forbidden");
        }
      });
    }
  });

  it("answers HEAD as GET, without the body", async () => {
    const headers = { "x-api-key": output("managerApiKey") };
    const answer = await fetch(`${output("managerUrl")}/stats`, { method: "HEAD", headers });
    expect(answer.status).to.equal(200);
    expect(answer.headers.get("content-type")).to.equal("application/json");
    expect(await answer.text()).to.equal("");
  });

  it("compresses large answers, and takes a compressed request", async () => {
    const headers = { "x-api-key": output("managerApiKey"), "accept-encoding": "gzip" };
    const description = await fetch(`${output("managerUrl")}/openapi.json`, { headers });
    expect(description.headers.get("content-encoding")).to.equal("gzip");
    expect(await description.json()).to.include.keys("openapi", "paths");

    const answer = await fetch(`${output("managerUrl")}/uploads`, {
      method: "POST",
      headers: { ...headers, "content-encoding": "gzip" },
      body: Buffer.from(gzipSync('{"size":1}')),
    });
    expect(answer.status).to.equal(201);
  });

  it("shows an event with its info, its result and a download link", async () => {
    const id = await notified("a file.txt");

    const { status, body } = await managed.ask(`GET /events/${id}`);

    expect(status).to.equal(200);
    const { event, download } = body as { event: FileEvent; download: { url: string } };
    expect(event).to.deep.equal((await managed.rows()).find((row) => row.event_id === id));
    expect(event.event_status).to.equal("notified");
    expect(event.event_result?.size).to.equal("the file a file.txt".length);
    const file = await fetch(download.url);
    expect(await file.text()).to.equal("the file a file.txt");
    expect(file.headers.get("content-disposition")).to.equal('attachment; filename="a file.txt"');
  });

  it("issues a link that serves this file only, for a short time", async () => {
    const id = await notified("one.txt");
    const { body } = await managed.ask(`GET /events/${id}`);
    const { url, expires_at } = (body as { download: { url: string; expires_at: string } })
      .download;

    const other = await fetch(url.replace("one.txt", "two.txt"));

    expect(other.status).to.equal(403);
    expect(await other.text()).to.include("<Code>SignatureDoesNotMatch</Code>");
    expect(Date.parse(expires_at) - Date.now()).to.be.within(60_000, 300_000);
  });

  it("gives a link only while the object is the event's, and says why there is none", async () => {
    const object = { Bucket: output("bucketName"), Key: "inbox/report.txt" };
    const put = async (Body: string) => {
      await managed.s3.send(new PutObjectCommand({ ...object, Body }));
      await managed.run.idle();
      const rows = await managed.rows();
      const row = rows.find(
        ({ event_info }) => event_info.Key === object.Key && event_info.Size === Body.length,
      );
      return row ?? expect.fail("There is no row.");
    };
    const links = async (...events: FileEvent[]) => {
      const answers = await Promise.all(
        events.map(({ event_id }) => managed.ask(`GET /events/${event_id}`)),
      );
      return answers.map(({ status, body }) => {
        expect(status).to.equal(200);
        const { download, no_download } = body as {
          download?: { url: string };
          no_download?: { code: string; message: string };
        };
        expect(download === undefined).to.equal(no_download !== undefined);
        expect(no_download?.message ?? "The object is there.").to.match(/^The object /);
        return download?.url ?? no_download?.code;
      });
    };
    const first = await put("first");
    const { event_id, event_timestamp } = first;
    // As a row that somebody else's writer made.
    const withoutTag = {
      ...first,
      event_info: { ...object, Size: 5 },
      event_id: randomUUID(),
      event_timestamp: new Date(Date.parse(event_timestamp) - 3_600_000).toISOString(),
    };
    await managed.dynamo.send(
      new PutItemCommand({ TableName: output("tableName"), Item: newItem(withoutTag) }),
    );
    expect(await (await fetch((await links(first))[0] ?? "")).text()).to.equal("first");

    const second = await put("second version");
    const [old, other, later = ""] = await links(first, withoutTag, second);

    expect([old, other]).to.deep.equal(["object_replaced", "object_replaced"]);
    expect(await (await fetch(later)).text()).to.equal("second version");
    await managed.s3.send(new DeleteObjectCommand(object));
    expect(await links(first, second)).to.deep.equal(["object_gone", "object_gone"]);
    for (const id of [event_id, withoutTag.event_id, second.event_id]) {
      expect((await managed.ask(`DELETE /events/${id}`)).status).to.equal(204);
    }
  });

  it("retries no event whose object was overwritten, alone or with all others, and alarms nobody", async () => {
    const time = new Date().toISOString();
    const event: FileEvent = {
      event_id: randomUUID(),
      event_timestamp: time,
      updated_at: time,
      event_status: "failed",
      failed_from: "created",
      event_info: { Bucket: output("bucketName"), Key: "inbox/overwritten.txt", ETag: "1" },
      last_error: {
        code: "ObjectReplaced",
        message: "The object was overwritten.",
        step: "process",
      },
      no_alarm: true,
    };
    await managed.dynamo.send(
      new PutItemCommand({
        TableName: output("tableName"),
        Item: itemOf(event) as PutItemCommand["input"]["Item"],
      }),
    );
    await managed.run.idle();

    const alone = await refusal(`POST /events/${event.event_id}/retry`);
    const { body } = await managed.ask(`POST /events/retry?status=failed&from=${time}`);

    expect(alone).to.include({ status: 409, code: "not_retryable" });
    expect(alone.message).to.contain("overwritten");
    expect(body).to.deep.include({ matched: 1, moved: 0, not_moved: { not_retryable: 1 } });
    expect((await managed.ask(`GET /events/${event.event_id}`)).body.event).to.deep.equal(event);
    expect((await managed.mails()).map(({ text }) => text).join()).to.not.contain("overwritten");
    await managed.ask(`DELETE /events/${event.event_id}`);
  });

  it("deletes a finished event and its file, once", async () => {
    const id = await notified("gone.txt");
    const { event } = (await managed.ask(`GET /events/${id}`)).body as unknown as {
      event: FileEvent;
    };

    const first = await managed.ask(`DELETE /events/${id}`);
    const second = await refusal(`DELETE /events/${id}`);

    expect(first.status).to.equal(204);
    expect(second).to.include({ status: 404, code: "event_not_found" });
    expect((await managed.rows()).some((row) => row.event_id === id)).to.equal(false);
    const { Bucket, Key } = event.event_info;
    const missing = await managed.s3
      .send(new GetObjectCommand({ Bucket, Key }))
      .catch((error: unknown) => (error as Error).name);
    expect(missing).to.equal("NoSuchKey");
  });

  it("keeps an object that was written again under the same key", async () => {
    const put = async (Body: string) => {
      const Bucket = output("bucketName");
      await managed.s3.send(new PutObjectCommand({ Bucket, Key: "inbox/same.txt", Body }));
      await managed.run.idle();
      const row = (await managed.rows()).find(
        ({ event_info }) => event_info.Key === "inbox/same.txt" && event_info.Size === Body.length,
      );
      return row?.event_id ?? "";
    };
    const first = await put("first");
    const second = await put("second version");

    expect((await managed.ask(`DELETE /events/${first}`)).status).to.equal(204);

    const { download } = (await managed.ask(`GET /events/${second}`)).body as {
      download: { url: string };
    };
    expect(await (await fetch(download.url)).text()).to.equal("second version");
  });

  it("keeps it also where its bytes are the same", async () => {
    const Key = "inbox/again.txt";
    const put = { Bucket: output("bucketName"), Key, Body: "the same" };
    const { ETag = "" } = await managed.s3.send(new PutObjectCommand(put));
    await managed.run.idle();
    const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
    const before = {
      event_id: randomUUID(),
      event_timestamp: hourAgo,
      event_status: "notified" as const,
      updated_at: hourAgo,
      event_info: { Bucket: put.Bucket, Key, ETag: ETag.replaceAll('"', "") },
    };
    await managed.dynamo.send(
      new PutItemCommand({ TableName: output("tableName"), Item: newItem(before) }),
    );

    expect((await managed.ask(`DELETE /events/${before.event_id}`)).status).to.equal(204);

    const { Body } = await managed.s3.send(new GetObjectCommand({ Bucket: put.Bucket, Key }));
    expect(await Body?.transformToString()).to.equal("the same");
  });

  it("retries failed events only", async () => {
    const id = await notified("fine.txt");
    expect(await refusal(`POST /events/${id}/retry`)).to.include({
      status: 409,
      code: "not_failed",
    });
  });

  for (const [method, rest] of [
    ["GET", ""],
    ["DELETE", ""],
    ["POST", "/retry"],
  ]) {
    it(`answers 404 to ${method} of an event that does not exist`, async () => {
      for (const id of [randomUUID(), "nothing", "%00", "..%2f"]) {
        const answer = await refusal(`${method} /events/${id}${rest}`);
        expect(answer).to.include({ status: 404, code: "event_not_found" });
      }
    });
  }

  const refused: [string, number, string][] = [
    ["GET /events?status=done", 400, "invalid_status"],
    ["GET /events?from=yesterday", 400, "invalid_from"],
    ["GET /events?to=2026-02-30", 400, "invalid_to"],
    ["GET /events?order=up", 400, "invalid_order"],
    ["GET /events?limit=0", 400, "invalid_limit"],
    ["GET /events?limit=1e2", 400, "invalid_limit"],
    ["GET /events?limit=501", 400, "invalid_limit"],
    ["GET /events?cursor=abc", 400, "invalid_cursor"],
    ["GET /events?stauts=failed", 400, "unknown_parameter"],
    ["GET /events?status=failed&status=created", 400, "invalid_status"],
    ["POST /events/retry", 400, "invalid_status"],
    ["POST /events/retry?status=notified", 400, "invalid_status"],
    ["POST /events/retry?status=failed&dry_run=yes", 400, "invalid_dry_run"],
    ["GET /stats?status=failed", 400, "unknown_parameter"],
    ["GET /stats/hours?hours=0", 400, "invalid_hours"],
    ["GET /stats/hours?hours=49", 400, "invalid_hours"],
    ["GET /stats/hours?status=failed", 400, "unknown_parameter"],
    ["GET /nothing", 404, "not_found"],
    ["PUT /events", 405, "method_not_allowed"],
    ["GET /uploads", 405, "method_not_allowed"],
  ];
  for (const [route, status, code] of refused) {
    it(`answers ${status} ${code} to ${route}`, async () => {
      expect(await refusal(route)).to.include({ status, code });
    });
  }

  it("serves its description, with this deployment's URLs", async () => {
    const { status, body } = await managed.ask("GET /openapi.json");

    expect(status).to.equal(200);
    const description = body as {
      servers: { url: string }[];
      paths: Record<string, { servers?: { url: string }[]; post?: { security?: unknown[] } }>;
    };
    expect(description.servers).to.deep.equal([{ url: output("managerUrl") }]);
    const upload = description.paths["/upload"];
    expect(`${upload?.servers?.[0]?.url ?? ""}/upload`).to.equal(output("uploadUrl"));
    expect(upload?.post?.security).to.deep.equal([]);
    // Neither does it name the key that only `requireApiKey` asks for.
    expect(await lintDocument(JSON.stringify(body))).to.deep.equal([]);
  });
});
