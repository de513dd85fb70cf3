import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import type { ObjectCreated } from "local-aws";
import type { EventDetails } from "../cli/manager/answers";
import { createManagerClient } from "../cli/manager/managerClient";
import { CONCURRENT_PARTS } from "../cli/upload/multipart/sendParts";
import type { FileEvent } from "../events/event";
import { PROGRAM_DIR } from "../start/programDir";
import { type Run, type RunEvent, startRun } from "../start/run";
import { type Clients, clientsOf, scanEvents } from "../testing/clients";
import { countParts, uploadKilled } from "../testing/commandLine/killedUpload";
import { readMails } from "../testing/mails";
import { UNTHROTTLED } from "../testing/unthrottled";
import { checkedFetch } from "./openapi/described";

const picture = readFileSync(path.join(PROGRAM_DIR, "sample.jpg"));

interface Invocation {
  functionName: string;
  payload: string;
}

describe("the program, end to end on one machine", function () {
  let run: Run;
  let clients: Clients;
  const seen: RunEvent[] = [];
  const invocations: Invocation[] = [];
  const created: ObjectCreated[] = [];
  const counter = countParts();

  before(async () => {
    run = await startRun({
      port: 0,
      config: { ...UNTHROTTLED, email: "first@example.com, second@example.com" },
      onEvent: (event) => seen.push(event),
      interceptInvocation: ({ functionName, payload }) => {
        invocations.push({ functionName, payload });
        return undefined;
      },
      intercept: (call, forward) => {
        counter.count(call);
        return forward();
      },
    });
    run.onObjectCreated((event) => created.push(event));
    clients = clientsOf(run);
  });

  after(async () => {
    clients.destroy();
    await run.stop();
  });

  beforeEach(() => {
    seen.length = 0;
    invocations.length = 0;
    created.length = 0;
  });

  async function upload(name: string, body: Uint8Array = picture): Promise<string> {
    const url = `${String(run.outputs.uploadUrl)}?filename=${encodeURIComponent(name)}`;
    const response = await checkedFetch(url, {
      method: "POST",
      headers: { "content-type": "image/jpeg" },
      body: Buffer.from(body),
    });
    expect(response.status).to.equal(201);
    return ((await response.json()) as { event_id: string }).event_id;
  }

  function rows(): Promise<FileEvent[]> {
    return scanEvents(clients.dynamo, String(run.outputs.tableName));
  }

  async function rowOf(bucketKey: string): Promise<FileEvent | undefined> {
    return (await rows()).find(({ event_info }) => event_info.Key === bucketKey);
  }

  function mails() {
    return readMails(run, seen);
  }

  async function idleMails() {
    await run.idle();
    return mails();
  }

  function statusesOf(eventId: string): string[] {
    return seen.flatMap((event) =>
      event.type === "status" && event.event.event_id === eventId ? [event.event.event_status] : [],
    );
  }

  function invoked(name: string): Invocation[] {
    return invocations.filter(({ functionName }) => functionName.startsWith(name));
  }

  it("turns an upload into a row, three statuses and a mail to every address", async () => {
    const eventId = await upload("holiday.jpg");

    const [first, second, ...more] = await idleMails();

    expect(more).to.deep.equal([]);
    expect([first, second].map((mail) => mail?.to).sort()).to.deep.equal([
      "first@example.com",
      "second@example.com",
    ]);
    expect(first?.subject).to.equal('File processed: "holiday.jpg"');
    for (const fact of [eventId, "holiday.jpg", "image/jpeg", "1200 x 800", "78012", "s3://"]) {
      expect(first?.text).to.contain(fact);
    }
    expect(statusesOf(eventId)).to.deep.equal(["uploaded", "processed", "notified"]);
    const invocationCounts = ["upload", "record", "process", "notify"].map(
      (name) => invoked(name).length,
    );
    expect(invocationCounts).to.deep.equal([1, 1, 1, 1]);
    const answer = await checkedFetch(`${String(run.outputs.managerUrl)}/events/${eventId}`, {
      headers: { "x-api-key": String(run.outputs.managerApiKey) },
    });
    const { event, seconds_in_status } = (await answer.json()) as EventDetails;
    expect(event.event_history?.map((entry) => [entry.status, entry.function])).to.deep.equal([
      ["uploaded", "upload"],
      ["processed", "process"],
      ["notified", "notify"],
    ]);
    expect(event.event_history?.at(-1)?.time).to.equal(event.updated_at);
    expect(seconds_in_status).to.have.all.keys("uploaded", "processed");
  });

  it("puts many files into few mails, each file exactly once", async () => {
    const names = Array.from({ length: 40 }, (_, index) => `burst-${index}-of-40.jpg`);
    const eventIds = await Promise.all(names.map((name) => upload(name)));

    const received = (await idleMails()).filter(({ to }) => to === "first@example.com");

    const text = received.map((mail) => mail.text).join("\n");
    for (const eventId of eventIds) {
      expect(text.match(new RegExp(`event:? +${eventId}`, "gi")), eventId).to.have.lengthOf(1);
      expect(statusesOf(eventId).at(-1)).to.equal("notified");
    }
    // A digest has a second; on a busy machine the uploads take more than one.
    expect(received.length).to.be.lessThan(40);
    expect(invoked("process").length).to.be.at.most(40);
  });

  const keys = [
    "a b+c%2B/ünï 写真 #1?.jpg",
    "x//y",
    "/leading and trailing/",
    "dots/../and/./more",
    "k".repeat(1024),
    "😀".repeat(256),
  ];
  for (const key of keys) {
    it(`notifies of an object put straight into the bucket: ${key.slice(0, 30)}`, async () => {
      await clients.s3.send(
        new PutObjectCommand({ Bucket: String(run.outputs.bucketName), Key: key, Body: picture }),
      );

      const received = await idleMails();

      const row = await rowOf(key);
      expect(row?.event_status).to.equal("notified");
      expect(row?.event_result).to.include({ type: "image/jpeg", width: 1200, height: 800 });
      expect(received[0]?.text).to.contain(row?.event_id);
    });
  }

  it("notifies of objects made by copy and by multipart upload", async () => {
    const Bucket = String(run.outputs.bucketName);
    const source = "made/by put.jpg";
    await clients.s3.send(new PutObjectCommand({ Bucket, Key: source, Body: picture }));
    await clients.s3.send(
      new CopyObjectCommand({
        Bucket,
        Key: "made/by copy.jpg",
        CopySource: `${Bucket}/${encodeURIComponent(source)}`,
      }),
    );
    const Key = "made/by parts.jpg";
    const { UploadId } = await clients.s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const { ETag } = await clients.s3.send(
      new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: picture }),
    );
    await clients.s3.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
      }),
    );

    await run.idle();

    for (const made of [source, "made/by copy.jpg", Key]) {
      expect((await rowOf(made))?.event_status, made).to.equal("notified");
    }
  });

  it("changes nothing when the same S3 event is delivered five times", async () => {
    await clients.s3.send(
      new PutObjectCommand({ Bucket: String(run.outputs.bucketName), Key: "once", Body: "1" }),
    );
    await upload("once.jpg");
    await run.idle();
    const before = await rows();
    const mailsBefore = (await mails()).length;

    for (const event of [...created]) {
      for (let delivery = 2; delivery <= 5; delivery += 1) {
        run.deliverObjectCreated(event);
      }
    }
    await run.idle();

    expect(invoked("record")).to.have.lengthOf(10);
    expect(await rows()).to.have.deep.members(before);
    expect(await mails()).to.have.lengthOf(mailsBefore);
  });

  it("changes nothing when the same stream records are replayed", async () => {
    const eventId = await upload("replayed.jpg");
    await run.idle();
    const before = await rows();
    const mailsBefore = (await mails()).length;

    for (const { functionName, payload } of [...invoked("process"), ...invoked("notify")]) {
      const { functionError, payload: answer } = await run.invoke(functionName, payload);
      expect(functionError).to.equal(undefined);
      expect(JSON.parse(answer)).to.deep.equal({ batchItemFailures: [] });
    }
    await run.idle();

    expect(await rows()).to.have.deep.members(before);
    expect(await mails()).to.have.lengthOf(mailsBefore);
    expect(statusesOf(eventId)).to.deep.equal(["uploaded", "processed", "notified"]);
  });

  it("takes the rest of a large file from a command that was killed in the middle", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "killed-upload-"));
    const content = randomBytes(65 * 1024 ** 2);
    const file = path.join(folder, "film.mp4");
    writeFileSync(file, content);

    const { result, sent } = await uploadKilled(run, counter, {
      ...{ file, cache: folder, parts: 8 },
    });

    rmSync(folder, { recursive: true });
    expect(result).to.include({ ok: true, via: "multipart", parts: 13 });
    expect(result.resumed_parts).to.be.within(8 - CONCURRENT_PARTS, 12);
    expect(sent.size).to.equal(13);
    expect([...sent.values()].filter((times) => times > 1)).to.have.lengthOf.at.most(
      CONCURRENT_PARTS,
    );
    await run.idle();
    const { event_status, event_result } = (await rowOf(String(result.key))) ?? {};
    expect(event_status).to.equal("notified");
    expect(event_result?.size).to.equal(content.length);
    const { Body } = await clients.s3.send(
      new GetObjectCommand({ Bucket: String(run.outputs.bucketName), Key: String(result.key) }),
    );
    expect(content.equals((await Body?.transformToByteArray()) ?? Buffer.alloc(0))).to.equal(true);
  });

  it("makes, lists, shows and revokes the command line's upload links", async () => {
    const { managerUrl, managerApiKey } = run.outputs as Record<string, string>;
    const manager = createManagerClient(
      { managerUrl: String(managerUrl), managerKey: String(managerApiKey) },
      () => Promise.resolve(),
    );
    const { links } = manager;
    const limits = { max_files: 2, max_bytes: 10 ** 9, content_types: ["image/*"], note: "Photos" };

    const made = await links.create({ expires_in: 60, metadata: { order: "7" }, ...limits });

    expect(made).to.deep.include({ ...limits, status: "open", files: { taken: 0, stored: 0 } });
    expect(made.url).to.match(/^http/);
    expect(await links.show(made.link_id)).to.deep.equal(made);
    expect((await links.list({ limit: 1 })).links).to.deep.equal([made]);
    expect(await manager.list({ limit: 1, link_id: made.link_id })).to.have.deep.property(
      "events",
      [],
    );
    expect(await links.revoke(made.link_id)).to.include({ status: "revoked" });
  });
});
