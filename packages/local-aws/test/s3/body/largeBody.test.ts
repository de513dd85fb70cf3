import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { BUCKET, type BucketScene, formData, OBJECTS, openBucket, signForm } from "../bucketScene";
import { failure } from "../harness";

const BODY = randomBytes(3_000_001);
const Key = "a key";
const object = { Bucket: BUCKET, Key };

describe("a body above 1 MiB", () => {
  let workDir: string;
  let scene: BucketScene;
  const events: unknown[] = [];
  before(async () => {
    workDir = mkdtempSync(path.join(tmpdir(), "large-body-"));
    scene = await openBucket(
      [
        ["s3:PutObject", OBJECTS],
        ["s3:GetObject", OBJECTS],
      ],
      { workDir },
    );
    scene.test.cloud.s3.onObjectCreated((event) => events.push(event));
  });
  after(async () => {
    await scene.close();
    rmSync(workDir, { recursive: true, force: true });
  });
  beforeEach(() => (events.length = 0));
  afterEach(() => {
    expect(spooled()).to.deep.equal([]);
  });

  const spooled = () => readdirSync(path.join(workDir, ".s3/spool"));
  const put = (extra: object = {}, Body: Buffer | Readable = BODY) =>
    scene.client.send(new PutObjectCommand({ ...object, Body, ...extra }));
  const content = async (extra: object = {}) => {
    const { Body } = await scene.client.send(new GetObjectCommand({ ...object, ...extra }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };

  for (const ChecksumAlgorithm of ["CRC32", "SHA1", "SHA256"] as const) {
    it(`is stored with its ${ChecksumAlgorithm}, and sent back in whole and in part`, async () => {
      const { ETag } = await put({ ChecksumAlgorithm });

      expect(ETag).to.equal(`"${createHash("md5").update(BODY).digest("hex")}"`);
      expect((await content()).equals(BODY)).to.equal(true);
      const part = await content({ Range: "bytes=1000000-2999999" });
      expect(part.equals(BODY.subarray(1_000_000, 3_000_000))).to.equal(true);
      const head = await scene.client.send(
        new HeadObjectCommand({ ...object, ChecksumMode: "ENABLED" }),
      );
      expect(head[`Checksum${ChecksumAlgorithm}`]).to.be.a("string");
      expect(events).to.have.length(1);
    });
  }

  it("is taken from a stream in chunks, with its checksum in a trailer", async () => {
    const pieces = Array.from({ length: 7 }, (_, n) =>
      BODY.subarray(n * 428_572, (n + 1) * 428_572),
    );

    await put({ ContentLength: BODY.length }, Readable.from(pieces));

    expect((await content()).equals(BODY)).to.equal(true);
  });

  it("is taken from a form, with the checksum that its field announces", async () => {
    const { url, fields } = await signForm(scene, {
      Fields: { "x-amz-checksum-algorithm": "SHA256" },
    });

    const answer = await fetch(url, { method: "POST", body: formData(fields, BODY) });

    expect(answer.status).to.equal(204);
    expect(answer.headers.get("x-amz-checksum-sha256")).to.equal(
      createHash("sha256").update(BODY).digest("base64"),
    );
    expect((await content()).equals(BODY)).to.equal(true);
  });

  const refusals: [string, () => Promise<unknown>, string][] = [
    [
      "of another checksum",
      () => put({ ChecksumSHA256: Buffer.alloc(32).toString("base64") }),
      "BadDigest",
    ],
    ["of a condition that fails", () => put({ IfNoneMatch: "*" }), "PreconditionFailed"],
    ["for a bucket that is missing", () => put({ Bucket: "nowhere" }), "AccessDenied"],
  ];
  for (const [what, send, code] of refusals) {
    it(`is refused because ${what}, and leaves nothing`, async () => {
      await put();
      events.length = 0;

      expect((await failure(send())).name).to.equal(code);

      expect(events).to.deep.equal([]);
      expect(readdirSync(path.join(workDir, ".s3/files"))).to.have.length(1);
    });
  }

  it("is refused with a form's policy, and leaves nothing", async () => {
    const { url, fields } = await signForm(scene, {
      Conditions: [["content-length-range", 1, 2_000_000]],
    });

    const answer = await fetch(url, { method: "POST", body: formData(fields, BODY) });

    expect(await answer.text()).to.include("<Code>EntityTooLarge</Code>");
    expect(events).to.deep.equal([]);
  });

  it("leaves nothing when its sender stops in the middle", async () => {
    const sending = request(`${scene.url}/stopped`, {
      method: "PUT",
      headers: { "content-length": BODY.length },
    });
    sending.on("error", () => undefined);
    sending.write(BODY.subarray(0, 2_000_000));
    await until(() => spooled().length === 1);

    sending.destroy();

    await until(() => spooled().length === 0);
    expect(scene.test.errors).to.deep.equal([]);
  });

  it("frees its file when a reader stops in the middle", async () => {
    await put();
    const { Body } = await scene.client.send(new GetObjectCommand(object));
    await setTimeout(20);

    (Body as Readable).destroy();
    await put();

    await until(() => readdirSync(path.join(workDir, ".s3/files")).length === 1);
    expect(scene.test.errors).to.deep.equal([]);
  });
});

/** Mocha's timeout ends the wait. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await setTimeout(10);
  }
}
