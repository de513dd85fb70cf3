import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { eventually } from "../../../testing/eventually";
import { apiError, type Fault, s3Error, someEvent } from "../fakeManager";
import { spawnEvents } from "../runEvents";
import { startUploadTest, unseen, type UploadTest } from "./uploadTest";

/** Bytes; the fake asks for parts of 1000. */
const content = randomBytes(7400);

const PARTS = 8;

describe("a large file from the command line", () => {
  let test: UploadTest;

  beforeEach(async () => {
    test = await startUploadTest();
    test.fake.multipartMaxBytes = 10 ** 12;
    test.fake.presignedMaxBytes = 2000;
  });
  afterEach(() => test.close());

  /** How often each part was sent. */
  function sentParts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { path: route, query } of test.fake.seen) {
      if (route === "/part") {
        const part = `${query.uploadId} ${query.partNumber}`;
        counts[part] = (counts[part] ?? 0) + 1;
      }
    }
    return counts;
  }

  function storedBytes(index = 0): Buffer {
    const parts = [...(test.fake.uploads[index]?.parts ?? [])].sort(([a], [b]) => a - b);
    return Buffer.from(parts.map(([, { text }]) => text).join(""), "latin1");
  }

  function states(): string[] {
    return readdirSync(path.join(test.folder, "s3-uploader", "uploads"));
  }

  /** Sends until the part with this number, which is refused. */
  async function interrupted(name: string, part = 6) {
    test.fake.faults = {
      [`GET /s3/multipart/upload-${test.fake.uploads.length + 1}/${part}`]: [
        apiError(403, "forbidden"),
      ],
    };
    const result = await test.upload(name);
    expect(result.error?.code).to.equal("forbidden");
    return result;
  }

  it("is sent in parts to S3 itself, with its size, and a checksum of the whole", async () => {
    const name = test.file("film.mp4", content);

    const result = await test.upload(name);

    expect(result).to.deep.equal({
      ...{ file: name, ok: true, via: "multipart", bytes: 7400, parts: PARTS },
      ...{ event_id: "event-1", key: "signed/event-1" },
    });
    const [upload] = test.fake.uploads;
    expect(upload?.created).to.deep.equal({
      filename: "film.mp4",
      type: "video/mp4",
      metadata: {
        name: "film.mp4",
        type: "video/mp4",
        size: 7400,
        // Whole milliseconds: `mtime` is rounded.
        last_modified: new Date(
          Number(statSync(name, { bigint: true }).mtimeNs / 1_000_000n),
        ).toISOString(),
      },
    });
    expect(storedBytes()).to.deep.equal(content);
    expect(Object.values(sentParts())).to.deep.equal(Array(PARTS).fill(1));
    expect(upload?.completion).to.deep.include({ size: 7400 });
    const signed = test.fake.seen.filter(({ path: route }) => /\/\d+$/.test(route));
    expect(signed.map(({ query }) => query.size)).to.deep.equal(Array(PARTS).fill("7400"));
    for (const { path: route, headers } of test.fake.seen) {
      expect(headers["x-api-key"] !== undefined, route).to.equal(route !== "/part");
    }
  });

  it("has S3's own CRC64NVME of the whole file", async () => {
    test.fake.presignedMaxBytes = 1;
    test.fake.directMaxBytes = 1;
    test.fake.partSize = 2;

    await test.upload(test.file("check", "123456789"));

    const checksum = Buffer.from("ae8b14860a799888", "hex").toString("base64");
    expect(test.fake.uploads[0]?.completion?.checksum_crc64nvme).to.equal(checksum);
  });

  it("goes by one signed request where the manager takes no parts", async () => {
    test.fake.multipartMaxBytes = undefined;

    const whole = await test.upload(test.file("a.bin", content.subarray(0, 1500)));
    const larger = await test.upload(test.file("b.bin", content));

    expect([whole.via, larger.error?.code]).to.deep.equal(["presigned", "too_large"]);
  });

  it("goes on where an earlier command has stopped", async () => {
    const name = test.file("a.bin", content);
    const { error } = await interrupted(name);
    expect(error?.message).to.match(/ The same command goes on from there\.$/);
    const there = [...(test.fake.uploads[0]?.parts.values() ?? [])];
    const before = there.length;
    expect(before).to.be.greaterThan(3).and.lessThan(PARTS);
    const phases: unknown[] = [];

    const result = await test.upload(
      name,
      {},
      { ...unseen, phase: (phase, total, done) => phases.push([phase, total, done]) },
    );

    expect(result).to.deep.include({ ok: true, parts: PARTS, resumed_parts: before });
    expect(Object.keys(sentParts())).to.have.lengthOf(PARTS - before);
    expect(test.fake.uploads).to.have.lengthOf(1);
    expect(storedBytes()).to.deep.equal(content);
    const bytes = there.reduce((sum, { size }) => sum + size, 0);
    expect(phases[0]).to.deep.equal(["sending", 7400, bytes]);
  });

  it("sends a part again that S3 has with another length", async () => {
    const name = test.file("a.bin", content);
    await interrupted(name);
    test.fake.uploads[0]?.parts.set(2, { size: 1, eTag: "other", text: "x" });

    await test.upload(name);

    expect(sentParts()).to.have.property("upload-1 2", 1);
    expect(storedBytes()).to.deep.equal(content);
  });

  const others: [string, (name: string) => Record<string, unknown>][] = [
    [
      "has changed",
      (name) => {
        writeFileSync(name, Buffer.concat([content, Buffer.from("more")]));
        return {};
      },
    ],
    [
      "has other bytes of the same number",
      (name) => {
        writeFileSync(name, randomBytes(content.length));
        utimesSync(name, new Date(), new Date(Date.now() - 5000));
        return {};
      },
    ],
    ["gets another type", () => ({ type: "text/x-log" })],
  ];
  for (const [what, change] of others) {
    it(`starts anew, and the old upload is aborted, where the file ${what}`, async () => {
      const name = test.file("a.bin", content);
      await interrupted(name);

      const result = await test.upload(name, change(name));

      expect(result).to.deep.include({ ok: true, event_id: "event-2" });
      expect(result).to.not.have.property("resumed_parts");
      expect(test.fake.uploads.map(({ state }) => state)).to.deep.equal(["aborted", "completed"]);
      expect(storedBytes(1)).to.deep.equal(readFileSync(name));
    });
  }

  it("starts anew where the parts that S3 has are of other bytes with the same time", async () => {
    const name = test.file("a.bin", content);
    await interrupted(name);
    test.fake.faults = {
      "POST /s3/multipart/upload-1/complete": [apiError(400, "checksum_mismatch")],
    };

    const result = await test.upload(name);

    expect(result).to.deep.include({ ok: true, event_id: "event-2" });
    expect(test.fake.uploads.map(({ state }) => state)).to.deep.equal(["aborted", "completed"]);
  });

  it("starts anew where the manager does not know the upload any more", async () => {
    const name = test.file("a.bin", content);
    await interrupted(name);
    test.fake.uploads.forEach((upload) => (upload.state = "aborted"));

    const result = await test.upload(name);

    expect(result).to.deep.include({ ok: true, event_id: "event-2" });
    expect(Object.keys(sentParts())).to.have.lengthOf(PARTS);
  });

  it("starts anew where the upload ends while it is sent", async () => {
    test.fake.faults = { "PUT /part": [s3Error(404, "NoSuchUpload")] };

    const result = await test.upload(test.file("a.bin", content));

    expect(result).to.deep.include({ ok: true, event_id: "event-2" });
  });

  it("fails, and aborts the upload, where the file changes while it is sent", async () => {
    const name = test.file("a.bin", content);
    let bytes = 0;

    const result = await test.upload(
      name,
      {},
      {
        ...unseen,
        advance: (more) => {
          bytes += more;
          if (bytes === 4000) {
            writeFileSync(name, randomBytes(content.length));
            utimesSync(name, new Date(), new Date(Date.now() - 5000));
          }
        },
      },
    );

    expect(result.error?.code).to.equal("file_changed");
    expect(test.fake.uploads.map(({ state }) => state)).to.deep.equal(["aborted"]);
    expect(states()).to.deep.equal([]);
  });

  const passing: [string, string, Fault][] = [
    ["a reset connection", "PUT /part", "reset"],
    ["S3's SlowDown", "PUT /part", s3Error(503, "SlowDown")],
    ["an expired signature", "PUT /part", s3Error(403, "AccessDenied")],
    ["expired credentials of the signer", "PUT /part", s3Error(400, "ExpiredToken")],
    ["throttling of the manager", "GET /s3/multipart/upload-1/1", apiError(429, "throttled")],
    ["a lost answer", "PUT /part", "lost answer"],
  ];
  for (const [what, route, fault] of passing) {
    it(`repeats one part alone, with a new signature, after ${what}`, async () => {
      test.fake.faults = { [route]: [fault, fault] };
      let done = 0;

      const result = await test.upload(
        test.file("a.bin", content),
        {},
        { ...unseen, advance: (bytes) => (done += bytes) },
      );

      expect(result.ok).to.equal(true);
      expect(test.pauses).to.have.lengthOf(2);
      const signed = test.fake.requests().filter((each) => /^GET .*\/\d+$/.test(each));
      expect(signed).to.have.lengthOf(PARTS + 2);
      expect([done, storedBytes().equals(content)]).to.deep.equal([content.length, true]);
    });
  }

  it("gives up a part that S3 refuses with every signature, and keeps what was sent", async () => {
    const refused = s3Error(403, "AccessDenied");
    test.fake.faults = { "PUT /part": Array<Fault>(3 * 4).fill(refused) };

    const result = await test.upload(test.file("a.bin", content));

    expect(result.error?.code).to.equal("AccessDenied");
    expect(states()).to.have.lengthOf(1);
    expect(test.fake.uploads[0]?.state).to.equal("open");
  });

  it("is not sent twice within a day, unless asNew is set", async () => {
    const name = test.file("a.bin", content);
    await test.upload(name);
    const again = await test.upload(name);
    test.fake.events = [someEvent("event-1")];
    const later = await test.upload(name);
    const anew = await test.upload(name, { asNew: true });

    expect(again).to.deep.include({ ok: true, event_id: "event-1", repeated: true });
    expect(later).to.deep.include({ repeated: true, event_status: "notified" });
    expect(anew).to.include({ ok: true, event_id: "event-2" }).and.not.have.property("repeated");
  });

  it("is done where only the answer of the last request was lost", async () => {
    test.fake.faults = { "POST /s3/multipart/upload-1/complete": ["lost answer"] };

    const result = await test.upload(test.file("a.bin", content));

    expect(result).to.deep.include({ ok: true, event_id: "event-1" });
    expect(test.fake.uploads).to.have.lengthOf(1);
  });

  it("is done where an earlier command was killed while it waited for the last answer", async () => {
    const name = test.file("a.bin", content);
    const lost = Array<Fault>(5).fill("lost answer");
    test.fake.faults = { "POST /s3/multipart/upload-1/complete": lost };
    const { error } = await test.upload(name);
    expect(error?.code).to.equal("network_error");

    const result = await test.upload(name);

    expect(result).to.deep.include({ ok: true, event_id: "event-1", resumed_parts: PARTS });
    expect(test.fake.requests()).to.deep.equal(["POST /s3/multipart/upload-1/complete"]);
  });

  it("is done where the upload is not there any more, but its event", async () => {
    const name = test.file("a.bin", content);
    await interrupted(name);
    test.fake.uploads.forEach((upload) => (upload.state = "completed"));
    test.fake.events = [someEvent("event-1")];

    const result = await test.upload(name);

    expect(result).to.deep.include({ ok: true, event_id: "event-1", repeated: true });
  });

  it("keeps its state for this user alone, without key or signature", async () => {
    await interrupted(test.file("a.bin", content));

    const [name = ""] = states();
    const file = path.join(test.folder, "s3-uploader", "uploads", name);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(readFileSync(file, "utf8"))
      .to.not.contain(test.fake.key)
      .and.not.match(/signature/i);
  });

  it("forgets states of an age, and survives one that cannot be read", async () => {
    const name = test.file("a.bin", content);
    await interrupted(name);
    const [state = ""] = states();
    const folder = path.join(test.folder, "s3-uploader", "uploads");
    const monthsAgo = new Date(Date.now() - 31 * 86_400_000);
    writeFileSync(path.join(folder, "old.json"), readFileSync(path.join(folder, state)));
    utimesSync(path.join(folder, "old.json"), monthsAgo, monthsAgo);
    writeFileSync(path.join(folder, state), "{");

    const result = await test.upload(name);

    expect(result).to.deep.include({ ok: true, event_id: "event-2" });
    expect(states()).to.deep.equal([state]);
  });

  it("is sent, too, where no state can be kept, which is said once", async () => {
    process.env.XDG_CACHE_HOME = test.file("no-folder", "");
    const notices: string[] = [];
    const progress = { ...unseen, notice: (text: string) => notices.push(text) };

    const first = await test.upload(test.file("a.bin", content), {}, progress);
    const second = await test.upload(test.file("b.bin", content), {}, progress);

    expect([first.ok, second.ok]).to.deep.equal([true, true]);
    expect(notices).to.have.lengthOf(1);
    expect(notices[0]).to.match(/cannot be kept in .*no-folder.* \((ENOTDIR|EEXIST)\)/);
  });

  it("is sent once by two commands at the same time", async () => {
    const name = test.file("a.bin", content);
    const notices: string[] = [];
    const sleep = () => new Promise(setImmediate);

    const results = await Promise.all(
      [1, 2].map(() =>
        test.upload(name, { sleep }, { ...unseen, notice: (text) => notices.push(text) }),
      ),
    );

    expect(results.map(({ event_id }) => event_id)).to.deep.equal(["event-1", "event-1"]);
    expect(results.filter(({ repeated }) => repeated)).to.have.lengthOf(1);
    expect(test.fake.uploads).to.have.lengthOf(1);
    expect(notices).to.have.lengthOf(1);
    expect(notices[0]).to.contain(`process ${process.pid}`);
  });

  it("goes on after Ctrl-C, which says so", async () => {
    const name = test.file("a.bin", content);
    const hanging = Array<Fault>(9).fill({ status: 503, headers: { "retry-after": "100" } });
    test.fake.faults = { "GET /s3/multipart/upload-1/5": hanging };
    const command = ["--url", test.fake.url, "--key", test.fake.key, "upload", name];
    const environment = { XDG_CACHE_HOME: test.folder };
    const child = spawnEvents(command, environment);
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    const closed = once(child, "close");
    await eventually(() => test.fake.uploads[0]?.parts.size === PARTS - 1 || undefined);

    child.kill("SIGINT");

    expect(await closed).to.deep.equal([130, null]);
    expect(errors).to.match(/^Interrupted\. .* the same command goes on from there\.\n$/);
    test.fake.faults = {};
    const result = await test.upload(name);
    expect(result).to.deep.include({ ok: true, resumed_parts: PARTS - 1 });
  });
});
