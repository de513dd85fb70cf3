import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { failure, type Harness, startS3 } from "./harness";

const Bucket = "files";

describe("local S3", () => {
  let harness: Harness;
  before(async () => (harness = await startS3()));
  after(() => harness.close());
  beforeEach(() => (harness.events.length = 0));

  const put = (Key: string, Body: string | Buffer, extra = {}) =>
    harness.client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.from(Body), ...extra }));
  const get = async (Key: string, extra = {}) => {
    const answer = await harness.client.send(new GetObjectCommand({ Bucket, Key, ...extra }));
    return { ...answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
  };
  const head = (Key: string, extra = {}) =>
    harness.client.send(new HeadObjectCommand({ Bucket, Key, ...extra }));

  describe("keys", () => {
    const keys = [
      "a b+c%2B/ünï 写真 #1?.jpg",
      "x//y",
      "//",
      "/leading",
      "trailing/",
      "./a/../b/./c",
      "..",
      ".",
      "%",
      "%2e%2e/%2F",
      "semi;colon&amp=1:2@3$4,5!'()*~",
      "😀".repeat(256),
      "<script>alert(1)</script>",
      "odd/\u0001",
      "odd/\r and \u001f",
    ];
    for (const key of keys) {
      const name = JSON.stringify(key).slice(1, -1);
      const title = key.length > 60 ? `a key of ${Buffer.byteLength(key)} bytes` : name;
      it(`keeps ${title} unchanged, in the object and in the event`, async () => {
        await put(key, `at ${key}`);
        const { bytes } = await get(key);
        expect(bytes.toString()).to.equal(`at ${key}`);
        expect(harness.events.map((event) => event.key)).to.deep.equal([key]);
        const { Contents } = await harness.client.send(
          new ListObjectsV2Command({ Bucket, Prefix: key }),
        );
        expect(Contents?.map((object) => object.Key)).to.include(key);
      });
    }

    it("keeps x//y and x/y apart", async () => {
      await put("apart//y", "two");
      await put("apart/y", "one");
      expect((await get("apart//y")).bytes.toString()).to.equal("two");
    });

    it("refuses a key of more than 1,024 bytes", async () => {
      expect((await failure(put("ü".repeat(513), ""))).name).to.equal("KeyTooLongError");
    });

    it("refuses a URL that does not decode", async () => {
      const answer = await fetch(`${harness.url}/files/%E0%A4%A`, { method: "PUT", body: "x" });
      const error = await answer.text();
      expect(error).to.include("<Code>InvalidURI</Code>");
      expect(error).to.match(/<HostId>[^<]+<\/HostId><\/Error>$/);
    });
  });

  describe("objects", () => {
    it("returns every byte, the type, the metadata and the checksum", async () => {
      const body = randomBytes(300_000);
      await put("binary", body, {
        ContentType: "image/png",
        Metadata: { owner: "me" },
        ChecksumAlgorithm: "SHA256",
      });
      const object = await get("binary", { ChecksumMode: "ENABLED" });
      expect(object.bytes.equals(body)).to.equal(true);
      const sum = createHash("sha256").update(body).digest("base64");
      const about = await head("binary", { ChecksumMode: "ENABLED" });
      expect(about).to.include({ ContentType: "image/png", ContentLength: body.length });
      expect(about).to.include({ ChecksumSHA256: sum });
      expect(about.Metadata).to.deep.equal({ owner: "me" });
    });

    it("accepts a stream, which the SDK sends in chunks with a trailing checksum", async () => {
      const body = randomBytes(200_000);
      const chunks = [body.subarray(0, 70_000), body.subarray(70_000)];
      await harness.client.send(
        new PutObjectCommand({
          Bucket,
          Key: "streamed",
          Body: Readable.from(chunks),
          ContentLength: body.length,
          ContentEncoding: "gzip",
        }),
      );
      const object = await get("streamed", { ChecksumMode: "ENABLED" });
      expect(object.bytes.equals(body)).to.equal(true);
      expect(object.ContentEncoding).to.equal("gzip");
      expect(object.ChecksumCRC32).to.be.a("string");
      expect(harness.events[0]?.size).to.equal(body.length);
    });

    it("stores empty bodies, and bodies that look like forms or JSON, unchanged", async () => {
      await put("empty", "");
      expect((await get("empty")).bytes).to.have.length(0);
      for (const type of ["application/x-www-form-urlencoded", "application/x-amz-json-1.0"]) {
        await put("form", "a=b&c", { ContentType: type });
        expect((await get("form")).bytes.toString()).to.equal("a=b&c");
        expect((await head("form")).ContentType).to.equal(type);
      }
    });

    it("has no limit at 11 MiB", async () => {
      const body = Buffer.alloc(12 << 20, "x");
      await put("large", body);
      expect((await head("large")).ContentLength).to.equal(body.length);
    });

    it("has the type binary/octet-stream where the writer gave none", async () => {
      await fetch(`${harness.url}/files/untyped`, { method: "PUT", body: Buffer.from("x") });
      expect((await head("untyped")).ContentType).to.equal("binary/octet-stream");
    });

    it("answers with the code of a missing key or bucket", async () => {
      expect(await failure(get("nothing"))).to.include({ name: "NoSuchKey", status: 404 });
      const elsewhere = new PutObjectCommand({ Bucket: "nowhere", Key: "a", Body: "x" });
      expect((await failure(harness.client.send(elsewhere))).name).to.equal("NoSuchBucket");
      expect(harness.events).to.have.length(0);
    });

    it("refuses an operation it lacks, and leaves the object unchanged", async () => {
      await put("locked", "content");
      const lock = new PutObjectLegalHoldCommand({ Bucket, Key: "locked" });
      const refusal = await failure(harness.client.send(lock));
      expect(refusal).to.include({ name: "NotImplemented", status: 501 });
      expect((await get("locked")).bytes.toString()).to.equal("content");
      for (const path of ["?versions", "/locked?versionId=1", "/locked?torrent"]) {
        expect((await fetch(`${harness.url}/files${path}`)).status, path).to.equal(501);
      }
      const select = await fetch(`${harness.url}/files/locked`, { method: "POST", body: "" });
      expect(select.status).to.equal(405);
    });
  });

  describe("byte ranges", () => {
    before(async () => {
      await put("short", "0123456789");
      await put("nil", "");
    });

    const cases: [string, string, string, string | undefined][] = [
      ["a part", "bytes=2-4", "234", "bytes 2-4/10"],
      ["a part that ends past the object", "bytes=5-4095", "56789", "bytes 5-9/10"],
      ["the rest", "bytes=7-", "789", "bytes 7-9/10"],
      ["the end", "bytes=-3", "789", "bytes 7-9/10"],
      ["an end longer than the object", "bytes=-4096", "0123456789", "bytes 0-9/10"],
      ["all for what is no range", "lines=1-2", "0123456789", undefined],
      ["all for a range from high to low", "bytes=4-2", "0123456789", undefined],
    ];
    for (const [what, Range, content, contentRange] of cases) {
      it(`sends ${what}: ${Range}`, async () => {
        const part = await get("short", { Range });
        expect(part.bytes.toString()).to.equal(content);
        expect(part.ContentRange).to.equal(contentRange);
        expect(part.$metadata.httpStatusCode).to.equal(contentRange ? 206 : 200);
      });
    }

    for (const [Key, Range] of [
      ["short", "bytes=10-20"],
      ["nil", "bytes=0-4095"],
      ["nil", "bytes=-1"],
    ] as const) {
      it(`refuses the range ${Range} of the ${Key} object`, async () => {
        const refusal = await failure(get(Key, { Range }));
        expect(refusal).to.include({ name: "InvalidRange", status: 416 });
      });
    }
  });

  describe("integrity", () => {
    const wrong: [string, object, string][] = [
      ["Content-MD5", { ContentMD5: createHash("md5").update("x").digest("base64") }, "BadDigest"],
      ["malformed Content-MD5", { ContentMD5: "bm8=" }, "InvalidDigest"],
      ["CRC32", { ChecksumCRC32: "AAAAAA==" }, "BadDigest"],
      ["SHA-1", { ChecksumSHA1: Buffer.alloc(20).toString("base64") }, "BadDigest"],
      ["SHA-256", { ChecksumSHA256: Buffer.alloc(32).toString("base64") }, "BadDigest"],
      ["malformed SHA-256", { ChecksumSHA256: "bm8=" }, "InvalidRequest"],
    ];
    for (const [what, checksum, code] of wrong) {
      it(`refuses a wrong ${what} and stores nothing`, async () => {
        expect((await failure(put("broken", "body", checksum))).name).to.equal(code);
        expect((await failure(head("broken"))).status).to.equal(404);
        expect(harness.events).to.have.length(0);
      });
    }

    const chunked = async (body: string, headers: Record<string, string> = {}, key = "chunked") =>
      (
        await fetch(`${harness.url}/files/${key}`, {
          method: "PUT",
          headers: {
            "content-encoding": "gzip, aws-chunked",
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x-amz-decoded-content-length": "4",
            ...headers,
          },
          body,
        })
      ).text();
    const announced = { "x-amz-trailer": "x-amz-checksum-crc32" };

    it("takes the checksum from a trailer, and aws-chunked out of the encoding", async () => {
      const sum = Buffer.alloc(4);
      sum.writeUInt32BE(crc32("body"));
      const checksum = sum.toString("base64");
      const body = `4\r\nbody\r\n0\r\nx-amz-checksum-crc32:${checksum}\r\n\r\n`;

      await chunked(body, announced, "whole");

      const stored = await head("whole", { ChecksumMode: "ENABLED" });
      expect(stored).to.include({ ContentEncoding: "gzip", ChecksumCRC32: checksum });
      expect((await get("whole")).bytes.toString()).to.equal("body");
    });

    const TRAILERS: [string, string, Record<string, string>, string][] = [
      ["of another content", "x-amz-checksum-crc32:AAAAAA==\r\n", announced, "BadDigest"],
      ["that was not announced", "x-amz-checksum-crc32:AAAAAA==\r\n", {}, "MalformedTrailerError"],
      ["that is missing", "", announced, "MalformedTrailerError"],
      [
        "of a checksum that is a header, too",
        "x-amz-checksum-crc32:AAAAAA==\r\n",
        { ...announced, "x-amz-checksum-crc32": "AAAAAA==" },
        "InvalidRequest",
      ],
      [
        "that is there twice",
        "x-amz-checksum-crc32:AAAAAA==\r\nx-amz-checksum-crc32:AAAAAA==\r\n",
        announced,
        "MalformedTrailerError",
      ],
      [
        "that is no checksum",
        "x-amz-copy-source:files/other\r\n",
        { "x-amz-trailer": "x-amz-copy-source" },
        "InvalidRequest",
      ],
      [
        "beside the announced one",
        "x-amz-checksum-crc32:AAAAAA==\r\nx-amz-copy-source:files/other\r\n",
        announced,
        "MalformedTrailerError",
      ],
    ];
    for (const [what, trailer, headers, code] of TRAILERS) {
      it(`refuses a trailer ${what}`, async () => {
        const body = `4\r\nbody\r\n0\r\n${trailer}\r\n`;
        expect(await chunked(body, headers)).to.include(`<Code>${code}</Code>`);
        expect((await failure(head("chunked"))).status).to.equal(404);
      });
    }

    for (const body of ["4\r\nbo", "4\r\nbody\r\n", "zz\r\nbody\r\n0\r\n\r\n", "0\r\n\r\n"]) {
      it(`refuses incomplete chunks: ${JSON.stringify(body)}`, async () => {
        expect(await chunked(body)).to.include("<Code>IncompleteBody</Code>");
        expect((await failure(head("chunked"))).status).to.equal(404);
      });
    }

    it("refuses chunks whose mark or length is missing", async () => {
      const body = "4\r\nbody\r\n0\r\n\r\n";
      expect(await chunked(body, { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" })).to.include(
        "<Code>InvalidRequest</Code>",
      );
      expect(await chunked(body, { "x-amz-decoded-content-length": "four" })).to.include(
        "<Code>IncompleteBody</Code>",
      );
    });

    const SUMS: [string, Record<string, string>][] = [
      [
        "two checksums",
        { "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-crc32c": "AAAAAA==" },
      ],
      ["a checksum of an unknown kind", { "x-amz-checksum-crc16": "AAAA" }],
      ["a checksum that is announced only", { "x-amz-sdk-checksum-algorithm": "CRC32C" }],
    ];
    for (const [what, headers] of SUMS) {
      it(`refuses ${what}`, async () => {
        const url = `${harness.url}/files/sums`;
        const answer = await fetch(url, { method: "PUT", headers, body: "body" });
        expect(await answer.text()).to.include("<Code>InvalidRequest</Code>");
      });
    }

    it("refuses a body that is not the signed one", async () => {
      const answer = await fetch(`${harness.url}/files/signed`, {
        method: "PUT",
        headers: { "x-amz-content-sha256": createHash("sha256").update("x").digest("hex") },
        body: "y",
      });
      expect(await answer.text()).to.include("<Code>XAmzContentSHA256Mismatch</Code>");
    });
  });

  describe("conditional writes", () => {
    it("creates with If-None-Match: * once, however many try at the same time", async () => {
      const attempts = Array.from({ length: 8 }, (_, n) =>
        put("once", `${n}`, { IfNoneMatch: "*" }).then(
          () => "created",
          (error: unknown) => (error as Error).name,
        ),
      );
      const results = await Promise.all(attempts);
      expect(results.filter((result) => result === "created")).to.have.length(1);
      expect(results.filter((result) => result === "PreconditionFailed")).to.have.length(7);
      expect(harness.events).to.have.length(1);
    });

    it("replaces with If-Match only an unchanged object", async () => {
      const { ETag } = await put("versioned", "1");
      await put("versioned", "2", { IfMatch: ETag });
      const refusal = await failure(put("versioned", "3", { IfMatch: ETag }));
      expect(refusal).to.include({ name: "PreconditionFailed", status: 412 });
      expect((await failure(put("absent", "1", { IfMatch: ETag }))).name).to.equal("NoSuchKey");
      expect((await get("versioned")).bytes.toString()).to.equal("2");
    });
  });

  describe("ObjectCreated events", () => {
    it("report a put, before its answer", async () => {
      const { ETag, $metadata } = await put("put", "12345");
      const [event] = harness.events;
      expect(event).to.include({
        bucket: "files",
        key: "put",
        size: 5,
        eTag: ETag?.replaceAll('"', ""),
        eventName: "ObjectCreated:Put",
        requestId: $metadata.requestId,
      });
      expect(event?.eventTime).to.be.an.instanceOf(Date);
    });

    it("name the caller, where there is one", async () => {
      const request = { method: "PUT", url: "/files/mine", headers: {}, body: Buffer.from("x") };
      await harness.s3.handle(request, {
        principalArn: "arn:aws:iam::000000000000:role/upload",
      });
      expect(harness.events[0]?.principalArn).to.equal("arn:aws:iam::000000000000:role/upload");
    });

    it("report a copy under its new key", async () => {
      await put("original 1", "text", { ContentType: "text/plain" });
      harness.events.length = 0;
      await harness.client.send(
        new CopyObjectCommand({ Bucket, Key: "copy 1", CopySource: "files/original%201" }),
      );
      expect(harness.events).to.have.length(1);
      expect(harness.events[0]).to.include({ key: "copy 1", eventName: "ObjectCreated:Copy" });
      expect((await head("copy 1")).ContentType).to.equal("text/plain");
    });

    it("report a form upload, with the key from the form", async () => {
      const form = new FormData();
      form.set("key", "forms/${filename}");
      form.set("Content-Type", "text/plain");
      form.set("x-amz-meta-title", "写真\r\n");
      form.set("file", new Blob(["form body"]), "ünï 1.txt");
      const answer = await fetch(`${harness.url}/files`, { method: "POST", body: form });
      expect(answer.status).to.equal(204);
      expect(harness.events).to.have.length(1);
      const key = "forms/ünï 1.txt";
      expect(harness.events[0]).to.include({ key, size: 9, eventName: "ObjectCreated:Post" });
      const object = await get(key);
      expect(object.bytes.toString()).to.equal("form body");
      expect(object.Metadata?.title).to.equal("=?UTF-8?B?5YaZ55yfDQo=?=");
    });

    it("report a multipart upload when it is complete, and not its parts", async () => {
      const Key = "many/parts 1";
      const { client, events } = harness;
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      const bodies = [Buffer.alloc(5 << 20, "a"), Buffer.from("end")];
      const Parts: { ETag?: string; PartNumber: number }[] = [];
      for (const [index, Body] of bodies.entries()) {
        const part = { Bucket, Key, UploadId, PartNumber: index + 1, Body };
        const { ETag } = await client.send(new UploadPartCommand(part));
        Parts.push({ ETag, PartNumber: index + 1 });
      }
      expect(events).to.have.length(0);

      const complete = (parts: typeof Parts, extra = {}) =>
        client.send(
          new CompleteMultipartUploadCommand({
            Bucket,
            Key,
            UploadId,
            MultipartUpload: { Parts: parts },
            ...extra,
          }),
        );
      const refusal = await failure(complete([{ ETag: '"other"', PartNumber: 1 }]));
      expect(refusal.name).to.equal("InvalidPart");
      expect(events).to.have.length(0);

      const { ETag } = await complete(Parts, { IfNoneMatch: "*" });
      expect(events).to.have.length(1);
      expect(events[0]).to.include({
        key: Key,
        size: (5 << 20) + 3,
        eTag: ETag?.replaceAll('"', ""),
        eventName: "ObjectCreated:CompleteMultipartUpload",
      });
      const object = await get(Key, { ChecksumMode: "ENABLED" });
      expect(object.bytes.equals(Buffer.concat(bodies))).to.equal(true);
    });

    it("number the writes of a key upwards, never twice the same", async () => {
      await Promise.all(Array.from({ length: 20 }, (_, n) => put("again", `${n}`)));
      const numbers = harness.events.map((event) => event.sequencer);
      expect(numbers).to.deep.equal([...new Set(numbers)].sort());
      expect(numbers.every((number) => /^[0-9A-F]{18}$/.test(number))).to.equal(true);
      const last = harness.events.at(-1);
      expect((await head("again")).ETag).to.equal(`"${last?.eTag ?? ""}"`);
    });
  });
});
