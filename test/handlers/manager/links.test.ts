import { ListTablesCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { linkPrefix, newUpload } from "../../../events/identity";
import { newItem } from "../../../events/item";
import { type Claim, claimItem } from "../../../store/links/claim";
import { linkItem, type UploadLink } from "../../../store/links/link";
import { processedEvent } from "../../../testing/events";
import { claimOf } from "../../store/links/rows";
import { type Answer, type Managed, startManaged } from "./managed";

const DAY_SECONDS = 86_400;

describe("the upload links of the event manager", function () {
  let managed: Managed;
  let linksTable: string;

  before(async () => {
    managed = await startManaged({
      config: { allowedContentTypes: "image/*,application/pdf", statusShards: "2" },
    });
    const { TableNames: names = [] } = await managed.dynamo.send(new ListTablesCommand({}));
    linksTable = names.find((name) => name.startsWith("links-")) ?? "";
  });

  after(() => managed.stop());

  const make = (body: object, headers: Record<string, string> = {}): Promise<Answer> =>
    managed.ask("POST /links", {
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });

  async function made(body: object): Promise<UploadLink & { url: string }> {
    const answer = await make(body);
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    return answer.body as unknown as UploadLink & { url: string };
  }

  const codeOf = ({ status, body }: Answer) =>
    `${status} ${(body as { error: { code: string } }).error.code}`;

  type PutInput = PutItemCommand["input"];

  async function put(item: object): Promise<void> {
    await managed.dynamo.send(
      new PutItemCommand({ TableName: linksTable, Item: item as PutInput["Item"] }),
    );
  }

  /** Puts a claim of the link that has lapsed, or will. */
  async function putClaim(link_id: string, changes: Partial<Claim> = {}): Promise<Claim> {
    const open_until = new Date(Date.now() - 1000).toISOString();
    const claim = claimOf(
      link_id,
      { content_type: "application/pdf", open_until, ...changes },
      "a.pdf",
    );
    await put(claimItem(claim));
    return claim;
  }

  it("are made with all that was asked for, and shown so", async () => {
    const given = {
      max_files: 50,
      max_bytes: 2 ** 40,
      content_types: ["image/*", "Application/PDF", "image/*"],
      metadata: { customer: "Müller", "order-no": " 4711 " },
      note: "Please send\r\nthe pictures. 😀",
    };
    const before = Date.now();

    const answer = await make({ expires_in: 7 * DAY_SECONDS, ...given });

    expect(answer.status).to.equal(201);
    const link = answer.body as unknown as UploadLink & { url: string };
    const { link_id, url, created_at, expires_at } = link;
    expect(link).to.deep.equal({
      ...given,
      link_id,
      url,
      created_at,
      expires_at,
      content_types: ["image/*", "application/pdf"],
      metadata: { customer: "Müller", "order-no": "4711" },
      note: "Please send\nthe pictures. 😀",
      status: "open",
      files: { taken: 0, stored: 0 },
    });
    expect(link_id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(url).to.match(/^https?:\/\/.+\/[\w-]{64}$/);
    expect(Date.parse(created_at)).to.be.within(before, Date.now());
    expect(Date.parse(expires_at) - Date.parse(created_at)).to.equal(7 * DAY_SECONDS * 1000);
    const { managerUrl } = managed.run.outputs as Record<string, string>;
    expect(answer.headers.get("location")).to.equal(`${managerUrl ?? ""}/links/${link_id}`);
    const shown = await managed.ask(`GET /links/${link_id}`);
    expect(shown.status).to.equal(200);
    expect(shown.body).to.deep.equal(answer.body);
  });

  it("need no more than a time to expire", async () => {
    const link = await made({ expires_in: 1 });

    expect(link).to.have.keys("link_id", "url", "created_at", "expires_at", "status", "files");
  });

  const refused: [field: string, body: object, message?: string][] = [
    ["expires_in", {}, "is needed"],
    ["expires_in", { expires_in: 0 }],
    ["expires_in", { expires_in: 30 * DAY_SECONDS + 1 }, "2592000"],
    ["expires_in", { expires_in: "3600" }],
    ["expires_in", { expires_in: 1.5 }],
    ["max_files", { expires_in: 60, max_files: 0 }],
    ["max_files", { expires_in: 60, max_files: null }],
    ["max_bytes", { expires_in: 60, max_bytes: -1 }],
    ["max_bytes", { expires_in: 60, max_bytes: 53_687_091_200_001 }],
    ["content_types", { expires_in: 60, content_types: [] }],
    ["content_types", { expires_in: 60, content_types: "image/*" }],
    ["content_types", { expires_in: 60, content_types: ["pictures"] }, '"pictures"'],
    ["content_types", { expires_in: 60, content_types: ["image/png; q=1"] }],
    ["content_types", { expires_in: 60, content_types: [null] }],
    ["content_types", { expires_in: 60, content_types: ["video/mp4"] }, "not taken here"],
    ["content_types", { expires_in: 60, content_types: ["*/*"] }, "not taken here"],
    ["metadata", { expires_in: 60, metadata: { a: 1 } }, '"a" has to be a text'],
    ["metadata", { expires_in: 60, metadata: ["a"] }],
    ["note", { expires_in: 60, note: "" }],
    ["note", { expires_in: 60, note: "a\tb" }],
    ["note", { expires_in: 60, note: "x".repeat(501) }],
    ["note", { expires_in: 60, note: 5 }],
    ["body", { expires_in: 60, expires: 60 }, '"expires"'],
    ["body", [60]],
  ];
  for (const [field, body, message = field] of refused) {
    it(`are refused for their ${field}: ${JSON.stringify(body).slice(0, 60)}`, async () => {
      const answer = await make(body);

      expect(codeOf(answer)).to.equal(`400 invalid_${field}`);
      expect(JSON.stringify(answer.body)).to.include(JSON.stringify(message).slice(1, -1));
    });
  }

  it("are made once for an Idempotency-Key", async () => {
    const body = { expires_in: 3600, note: "once" };
    const [first, second] = await Promise.all(
      [1, 2].map(() => make(body, { "idempotency-key": "my link" })),
    );
    const third = await make(body, { "idempotency-key": "my link" });
    const other = await make({ ...body, note: "other" }, { "idempotency-key": "my link" });

    expect(first?.status).to.equal(201);
    expect(second?.body).to.deep.equal(first?.body);
    expect(third.body).to.deep.equal(first?.body);
    expect(third.headers.get("idempotent-replayed")).to.equal("true");
    expect(codeOf(other)).to.equal("422 idempotency_key_reused");
  });

  it("are listed newest first, page by page", async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      ids.unshift((await made({ expires_in: 60, note: `listed ${index}` })).link_id);
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? "" : `&cursor=${cursor}`;
      const { status, body } = await managed.ask(`GET /links?limit=2${query}`);
      expect(status).to.equal(200);
      const { links, next_cursor } = body as { links: UploadLink[]; next_cursor: string | null };
      expect(links.length).to.be.within(1, 2);
      seen.push(...links.map(({ link_id }) => link_id));
      cursor = next_cursor;
    } while (cursor !== null);

    expect(seen.slice(0, 5)).to.deep.equal(ids);
    expect(new Set(seen).size).to.equal(seen.length);
    expect(seen.length).to.be.greaterThan(5);
  });

  it("refuse limits and cursors that are none", async () => {
    const { next_cursor } = (await managed.ask("GET /events?limit=1")).body;
    expect(codeOf(await managed.ask("GET /links?limit=501"))).to.equal("400 invalid_limit");
    expect(codeOf(await managed.ask("GET /links?cursor=abc"))).to.equal("400 invalid_cursor");
    expect(codeOf(await managed.ask("GET /links?status=open"))).to.equal("400 unknown_parameter");
    expect(next_cursor).to.equal(null);
  });

  for (const route of ["GET", "DELETE"]) {
    it(`answer ${route} of none with 404`, async () => {
      for (const id of ["01a1f86e-52c0-7d11-8b3e-5a9f0c3d7e21", "not-an-id", "a%2Fb"]) {
        expect(codeOf(await managed.ask(`${route} /links/${id}`))).to.equal("404 link_not_found");
      }
    });
  }

  it("are revoked for good, however often", async () => {
    const { link_id } = await made({ expires_in: 60 });

    const first = await managed.ask(`DELETE /links/${link_id}`);
    const second = await managed.ask(`DELETE /links/${link_id}`);

    expect(first.status).to.equal(200);
    expect(first.body).to.include({ link_id, status: "revoked" });
    expect(first.body.revoked_at).to.match(/^\d{4}-/);
    expect(second.status).to.equal(200);
    expect(second.body).to.deep.equal(first.body);
    expect((await managed.ask(`GET /links/${link_id}`)).body).to.deep.equal(first.body);
  });

  it("say that they have expired, or are used up", async () => {
    const link = await made({ expires_in: 60, max_files: 1 });
    const { link_id, created_at, expires_at } = link;
    const stored = { link_id, created_at, expires_at, max_files: 1, taken: 1, stored: 1 };
    await put(linkItem(stored));
    expect((await managed.ask(`GET /links/${link_id}`)).body).to.deep.include({
      status: "used_up",
      files: { taken: 1, stored: 1 },
    });
    await put(linkItem({ ...stored, expires_at: created_at }));
    expect((await managed.ask(`GET /links/${link_id}`)).body.status).to.equal("expired");
  });

  it("count no place of an upload that nobody went on with", async () => {
    const { link_id, created_at, expires_at } = await made({ expires_in: 60, max_files: 4 });
    const link = { link_id, created_at, expires_at, max_files: 4, taken: 4, stored: 0 };
    await put(linkItem(link));
    await putClaim(link_id);
    const open_until = new Date(Date.now() + 60_000).toISOString();
    await putClaim(link_id, { open_until });
    await putClaim(link_id, { state: "completing", parts_digest: "digest" });
    // The file is there: its row is on its way.
    const { object_key } = await putClaim(link_id, { state: "completing", parts_digest: "digest" });
    const { bucketName } = managed.run.outputs as Record<string, string>;
    await managed.s3.send(
      new PutObjectCommand({ Bucket: bucketName, Key: object_key, Body: "a", IfNoneMatch: "*" }),
    );

    const { body: listed } = await managed.ask("GET /links?limit=500");
    const { links } = listed as { links: (UploadLink & { files: object })[] };

    const counted = links.find((each) => each.link_id === link_id);
    expect(counted).to.deep.include({ status: "open" });
    const { taken } = counted?.files as { taken: number };
    expect(taken).to.equal(2);
    const { body: shown } = await managed.ask(`GET /links/${link_id}`);
    expect((shown.files as { taken: number }).taken).to.equal(2);
  });

  it("have their files listed, in order of time, by status too", async () => {
    const { link_id } = await made({ expires_in: 60 });
    const other = await made({ expires_in: 60 });
    const { tableName } = managed.run.outputs as Record<string, string>;
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      const owner = index === 3 ? other.link_id : link_id;
      const { event_id, event_timestamp } = newUpload(linkPrefix(owner), `${index}.pdf`);
      const event_status = index === 1 ? "failed" : "notified";
      const event = processedEvent({ event_id, event_timestamp, event_status, link_id: owner });
      await managed.dynamo.send(
        new PutItemCommand({ TableName: tableName, Item: newItem(event, 2) }),
      );
      ids.push(`${event_timestamp} ${event_id}`);
    }
    const own = ids.filter((_, index) => index !== 3).sort();
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? "" : `&cursor=${cursor}`;
      const { body } = await managed.ask(
        `GET /events?link_id=${link_id}&order=asc&limit=3${query}`,
      );
      const { events, next_cursor } = body as {
        events: { event_id: string; event_timestamp: string; link_id: string }[];
        next_cursor: string | null;
      };
      for (const { event_id, event_timestamp, link_id: its } of events) {
        expect(its).to.equal(link_id);
        seen.push(`${event_timestamp} ${event_id}`);
      }
      cursor = next_cursor;
    } while (cursor !== null);

    expect(seen).to.deep.equal(own);
    const failed = await managed.ask(`GET /events?link_id=${link_id}&status=failed`);
    expect(failed.body.events).to.have.length(1);
    const none = await managed.ask(`GET /events?link_id=${link_id}&to=2020-01-01`);
    expect(none.body).to.deep.equal({ events: [], next_cursor: null });
  });

  it("without a file have an empty list, and unknown ones none", async () => {
    const { link_id } = await made({ expires_in: 60 });
    const empty = await managed.ask(`GET /events?link_id=${link_id}`);
    const unknown = await managed.ask("GET /events?link_id=01a1f86e-52c0-7d11-8b3e-5a9f0c3d7e21");
    const malformed = await managed.ask("GET /events?link_id=7");

    expect(empty.body).to.deep.equal({ events: [], next_cursor: null });
    expect(codeOf(unknown)).to.equal("400 invalid_link_id");
    expect(codeOf(malformed)).to.equal("400 invalid_link_id");
  });

  it("leave no ticket in the log", async () => {
    const { url } = await made({ expires_in: 60 });
    const ticket = url.slice(-64);
    await managed.ask("GET /links?limit=500");

    expect(JSON.stringify(managed.events)).not.to.include(ticket);
  });
});
