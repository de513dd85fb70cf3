import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { someEvent } from "../fakeManager";
import { ignore, large, sha256Of, startUploadTest, type UploadTest } from "./uploadTest";

describe("an upload from the command line", () => {
  let test: UploadTest;

  /** A signed request for an object that is stored. */
  function signedAgain(key = "") {
    return {
      event_id: key.replace("signed/", ""),
      key,
      method: "PUT",
      url: `${test.fake.url}/s3?key=${key}`,
      headers: { "If-None-Match": "*" },
    };
  }

  beforeEach(async () => {
    test = await startUploadTest();
  });
  afterEach(() => test.close());

  it("sends a file up to the direct limit to the upload API, byte for byte", async () => {
    const content = randomBytes(1000);

    const result = await test.upload(test.file("täst & 1.png", content));

    const [request] = test.fake.seen;
    expect(test.fake.requests()).to.deep.equal(["POST /direct/upload"]);
    expect(request).to.deep.include({ bytes: 1000, sha256: sha256Of(content) });
    expect(request?.query).to.deep.equal({ filename: "täst & 1.png" });
    expect(request?.headers).to.include({ "content-type": "image/png", "content-length": "1000" });
    expect(result).to.include({ ok: true, via: "direct", bytes: 1000 });
    expect(request?.headers["idempotency-key"]).to.match(/^events-[0-9a-f]{64}$/);
  });

  it("sends a larger one to S3 itself, with the headers that are signed", async () => {
    const result = await test.upload(test.file('a "b".mp4', large));

    const [asked, put] = test.fake.seen;
    expect(test.fake.requests()).to.deep.equal(["POST /uploads", "PUT /s3"]);
    expect(JSON.parse(asked?.text ?? "")).to.deep.equal({
      filename: 'a "b".mp4',
      content_type: "video/mp4",
      size: large.length,
      checksum_sha256: sha256Of(large),
    });
    expect(put).to.deep.include({ bytes: large.length, sha256: sha256Of(large) });
    expect(put?.query).to.deep.equal({ key: result.key, "X-Amz-Signature": "ab" });
    expect(put?.headers).to.include({
      "content-length": String(large.length),
      "content-type": "x/y",
      "if-none-match": "*",
    });
    expect(put?.headers).to.not.have.property("transfer-encoding");
    expect(put?.headers).to.not.have.property("x-api-key");
    expect(result).to.include({ ok: true, via: "presigned" });
  });

  it("gives metadata to each route in the form that it takes", async () => {
    const metadata = { customer: "Müller", "order-no": "4711" };
    test.fake.multipartMaxBytes = 10 ** 12;
    test.fake.presignedMaxBytes = 800_000;

    await test.upload(test.file("a.txt", "small"), { metadata });
    const [direct] = test.fake.seen;
    await test.upload(test.file("b.bin", large), { metadata });
    const [signed] = test.fake.seen;
    test.fake.partSize = 800_000;
    await test.upload(test.file("c.bin", Buffer.concat([large, large])), { metadata });

    expect(direct?.headers).to.include({
      "x-amz-meta-customer": "=?UTF-8?B?TcO8bGxlcg==?=",
      "x-amz-meta-order-no": "4711",
    });
    const body = Buffer.from(signed?.text ?? "", "latin1").toString();
    expect(JSON.parse(body)).to.deep.include({ metadata });
    const [parts] = test.fake.uploads;
    expect(parts?.created).to.have.property("metadata").that.includes(metadata);
  });

  it("is another upload with other metadata", async () => {
    const name = test.file("a.txt", "small");
    const keys: (string | undefined)[] = [];
    const all: Record<string, string>[] = [{ a: "1", b: "2" }, { b: "2", a: "1" }, { a: "2" }];
    for (const metadata of [undefined, ...all]) {
      await test.upload(name, { metadata });
      keys.push(test.fake.seen[0]?.headers["idempotency-key"]);
    }

    expect(keys[1]).to.equal(keys[2]);
    expect(new Set(keys).size).to.equal(3);
  });

  it("sends small files to S3, too, without the upload API's key", async () => {
    test.fake.uploadKey = "upload-key";
    const small = test.file("a.txt", "small");

    const without = await test.upload(small);
    const withKey = await test.upload(small, { uploadKey: "upload-key", type: "text/x-log" });

    expect([without.via, withKey.via]).to.deep.equal(["presigned", "direct"]);
    expect(test.fake.seen[0]?.headers["content-type"]).to.equal("text/x-log");
  });

  it("does not send the same file, name and type twice, unless asNew is set", async () => {
    const name = test.file("a.bin", large);

    const first = await test.upload(name);
    const again = await test.upload(name);
    const requestsAgain = test.fake.requests();
    const asNew = await test.upload(name, { asNew: true });
    const otherType = await test.upload(name, { type: "image/png" });

    expect(requestsAgain).to.deep.equal(["POST /uploads"]);
    expect(first).to.not.have.property("repeated");
    expect(again).to.deep.equal({ ...first, repeated: true, event_status: "notified" });
    expect(new Set([first, asNew, otherType].map(({ event_id }) => event_id)).size).to.equal(3);
  });

  it("takes S3's 412 for a file that is there already", async () => {
    const name = test.file("a.bin", large);
    const first = await test.upload(name, { asNew: false });
    // The row is not yet written, so that the manager signs again.
    test.fake.faults = { "POST /uploads": [{ status: 201, body: signedAgain(first.key) }] };

    const again = await test.upload(name);

    expect(test.fake.requests()).to.deep.equal(["POST /uploads", "PUT /s3", "POST /uploads"]);
    expect(again).to.deep.equal({ ...first, repeated: true, event_status: "notified" });
  });

  it("tells that a small file was there already", async () => {
    const name = test.file("a.txt", "small");

    const first = await test.upload(name);
    const again = await test.upload(name);

    expect([first.repeated, again.repeated]).to.deep.equal([undefined, true]);
    expect(again.event_id).to.equal(first.event_id);
  });

  it("has keys that nobody can guess from the file: each machine has others", async () => {
    const name = test.file("guessed.bin", large);
    const keyOn = async (machine: string) => {
      process.env.XDG_CONFIG_HOME = path.join(test.folder, machine);
      await test.upload(name);
      return test.fake.seen[0]?.headers["idempotency-key"];
    };

    const keys = [await keyOn("one"), await keyOn("one"), await keyOn("two")];

    process.env.XDG_CONFIG_HOME = test.folder;
    expect(keys[0]).to.equal(keys[1]);
    expect(keys[0]).to.not.equal(keys[2]);
    const { mode } = statSync(path.join(test.folder, "one", "s3-uploader", "secret"));
    expect(mode & 0o777).to.equal(0o600);
  });

  it("reports progress: all bytes read, then all sent", async () => {
    const phases: [string, number][] = [];

    await test.upload(
      test.file("a.bin", large),
      {},
      {
        phase: (phase) => phases.push([phase, 0]),
        advance: (bytes) => {
          const last = phases.at(-1);
          if (last) {
            last[1] += bytes;
          }
        },
        notice: ignore,
      },
    );

    expect(phases).to.deep.equal([
      ["reading", large.length],
      ["sending", large.length],
    ]);
  });

  it("waits until the event is notified, even before its row exists", async () => {
    const name = test.file("a.txt", "content");
    const { event_id = "" } = await test.upload(name);
    const steps = [
      [],
      ...(["created", "processed", "notified"] as const).map((event_status) => [
        someEvent(event_id, { event_status }),
      ]),
    ];
    test.fake.events = [];

    const result = await test.upload(name, {
      wait: true,
      sleep: () => {
        test.fake.events = steps.shift() ?? [];
        return Promise.resolve();
      },
    });

    expect(result.ok).to.equal(true);
    expect(steps).to.deep.equal([]);
  });

  it("fails for a file whose event failed, with the event's error", async () => {
    const name = test.file("a.txt", "content");
    const { event_id = "" } = await test.upload(name);
    const last_error = { code: "NoSuchKey", message: "It is gone.", step: "process" };
    test.fake.events = [someEvent(event_id, { event_status: "failed", last_error })];

    const result = await test.upload(name, { wait: true });

    expect(result).to.deep.include({
      ok: false,
      event_id,
      error: { code: "NoSuchKey", message: "It is gone." },
    });
  });
});
