import { createHash, randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { AwsError } from "local-aws";
import type { Item } from "../../../events/item";
import { itemOf } from "../../../testing/events";
import { failuresOf, streamRecord } from "../../../testing/records";
import { type Program, startProgram } from "../../../testing/startProgram";
import { exif, heif, id3, irot, ispe, JPEG, segment, tiff, withSegments } from "./mediaFiles";

const SERVER_ERROR = new AwsError("InternalServerError", 500, "no");

describe("process", function () {
  let program: Program;

  before(async () => {
    program = await startProgram();
  });

  after(() => program.stop());

  beforeEach(() => {
    program.reset();
  });

  async function storedEvent(
    object: Pick<
      PutObjectCommandInput,
      "ContentType" | "ContentEncoding" | "ChecksumAlgorithm" | "ChecksumSHA256" | "Metadata"
    > & {
      Body?: Buffer;
    },
    event_status: "created" | "uploaded" | "notified" = "uploaded",
  ) {
    const Key = `process/${randomUUID()}`;
    const Bucket = program.bucketName;
    if (object.Body) {
      await program.s3.send(new PutObjectCommand({ ...object, Bucket, Key }));
    }
    return program.putEvent({ event_status, event_info: { Bucket, Key }, event_result: undefined });
  }

  const photo = { Body: JPEG, ContentType: "image/jpeg" };

  it("writes its result, for both start statuses", async () => {
    const files = [await storedEvent(photo, "created"), await storedEvent(photo, "uploaded")];

    const Records = files.map(({ record }) => record);
    expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf());

    for (const { event } of files) {
      const row = await program.row(event);
      expect(row).to.deep.include({
        event_id: event.event_id,
        event_timestamp: event.event_timestamp,
        event_info: event.event_info,
        event_status: "processed",
      });
      expect(row?.event_result).to.include({
        size: JPEG.length,
        type: "image/jpeg",
        width: 1200,
        height: 800,
      });
      expect(row?.updated_at).to.not.equal(event.updated_at);
    }
  });

  it("processes an empty file, and one longer than its range read, with S3's checksum", async () => {
    const empty = await storedEvent({ Body: Buffer.alloc(0), ContentType: "text/plain" });
    const long = await storedEvent({
      Body: Buffer.alloc(200_000, "text "),
      ContentType: "text/plain",
      ChecksumAlgorithm: "CRC32",
    });

    const Records = [empty.record, long.record];
    expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf());

    const emptyRow = await program.row(empty.event);
    expect(emptyRow?.event_result).to.include({ size: 0, type: "text/plain" });
    expect((await program.row(long.event))?.event_result).to.include({
      size: 200_000,
      type: "text/plain",
      checksum_algorithm: "CRC32",
    });
  });

  it("writes S3's SHA-256 in hexadecimal, like the upload API", async () => {
    const Body = Buffer.alloc(200_000, "text ");
    const digest = createHash("sha256").update(Body).digest();
    const { event, record } = await storedEvent({
      Body,
      ContentType: "text/plain",
      ChecksumSHA256: digest.toString("base64"),
    });

    await program.invoke("process", { Records: [record] });

    expect((await program.row(event))?.event_result).to.include({
      checksum_algorithm: "SHA256",
      checksum: digest.toString("hex"),
    });
  });

  it("reads on where the first part lacks type or dimensions, and takes no number that is none", async () => {
    const metadata = Array.from({ length: 30 }, () => segment(0xe2, Buffer.alloc(65_533)));
    const directory: [number, number, number][] = [
      [256, 4, 640],
      [257, 4, 480],
    ];
    const files: [body: Buffer, type: string, reads: number, result: object][] = [
      [JPEG, "image/jpeg", 1, { type: "image/jpeg", width: 1200, height: 800 }],
      [
        withSegments(exif(6), ...metadata),
        "image/jpeg",
        5,
        { type: "image/jpeg", width: 800, height: 1200 },
      ],
      [tiff([directory], { gap: 200_000 }), "image/tiff", 2, { width: 640, height: 480 }],
      [heif("heic", [ispe(30, 20), irot(1)], [1, 2]), "image/heif", 1, { width: 20, height: 30 }],
      [
        Buffer.concat([id3(200_000), Buffer.from("fLaC\0")]),
        "audio/flac",
        2,
        { type: "audio/flac" },
      ],
      [
        Buffer.from("<!doctype html>"),
        "image/png",
        1,
        { type: "text/html", declared_type: "image/png" },
      ],
      [
        Buffer.from('<svg width="1e999" height="2"></svg>'),
        "image/svg+xml",
        1,
        { type: "image/svg+xml" },
      ],
      [
        Buffer.from("P6\nab cd\n255\n"),
        "image/x-portable-pixmap",
        1,
        { type: "image/x-portable-pixmap" },
      ],
    ];
    for (const [Body, ContentType, reads, result] of files) {
      const { event, record } = await storedEvent({ Body, ContentType });
      let gets = 0;
      program.onCall = ({ operation }) => {
        gets += operation === "s3:GetObject" ? 1 : 0;
      };

      expect(await program.invoke("process", { Records: [record] })).to.deep.equal(failuresOf());

      const row = await program.row(event);
      expect(row, ContentType).to.include({ event_status: "processed" });
      expect(row?.event_result, ContentType).to.include(result);
      expect("width" in (row?.event_result ?? {}), ContentType).to.equal("width" in result);
      expect(gets, ContentType).to.equal(reads);
    }
  });

  it("looks behind an object's Content-Encoding", async () => {
    const { event, record } = await storedEvent({
      Body: gzipSync(Buffer.from("<!doctype html>")),
      ContentType: "image/png",
      ContentEncoding: "gzip",
    });

    await program.invoke("process", { Records: [record] });

    expect((await program.row(event))?.event_result).to.include({
      type: "text/html",
      declared_type: "image/png",
    });
  });

  it("takes the object's metadata into the row, as far as it fits, by no request of its own", async () => {
    const Metadata = {
      customer: "=?UTF-8?Q?M=C3=BCller?=",
      "order-no": "4711",
      "s3cmd-attrs.md5": "not a name",
      long: "x".repeat(201),
    };
    const files: [body: Buffer, status: string][] = [
      [JPEG, "processed"],
      [Buffer.alloc(0), "processed"],
      // Without s3:ListBucket, S3 answers so for a checksum's object that has gone.
      [Buffer.alloc(200_000, "text "), "failed"],
    ];
    for (const [Body, event_status] of files) {
      const { event, record } = await storedEvent({ Body, ContentType: "image/jpeg", Metadata });
      const calls: string[] = [];
      program.onCall = ({ operation }) => {
        calls.push(operation);
        if (event_status === "failed" && operation === "s3:HeadObject") {
          throw new AwsError("AccessDenied", 403, "no");
        }
      };

      await program.invoke("process", { Records: [record] });

      const row = await program.row(event);
      expect(row).to.include({ event_status });
      expect(row?.event_info).to.deep.equal({
        ...event.event_info,
        Metadata: { customer: "Müller", "order-no": "4711" },
      });
      expect(calls.filter((call) => call === "dynamodb:UpdateItem")).to.have.length(1);
      program.reset();
    }
  });

  it("leaves metadata that the row has", async () => {
    const { event } = await storedEvent({ ...photo, Metadata: { order: "of the object" } });
    const event_info = { ...event.event_info, Metadata: { order: "of the row" } };
    const known = await program.putEvent({ ...event, event_info, event_result: undefined });

    await program.invoke("process", { Records: [known.record] });

    expect((await program.row(known.event))?.event_info).to.deep.equal(event_info);
  });

  /** A direct object in two writes, with the event of each. */
  async function overwritten(first: Buffer, second: Buffer, ETag?: string) {
    const object = { Bucket: program.bucketName, Key: `inbox/${randomUUID()}` };
    const events = [];
    for (const Body of [first, second]) {
      const put = await program.s3.send(
        new PutObjectCommand({ ...object, Body, ContentType: "text/plain" }),
      );
      events.push(
        await program.putEvent({
          event_status: "created",
          event_info: { ...object, ETag: ETag ?? put.ETag?.replaceAll('"', "") },
          event_result: undefined,
        }),
      );
    }
    const [old, later] = events;
    return { old: old ?? expect.fail(), later: later ?? expect.fail() };
  }

  it("fails an event whose object was overwritten, for good and without an alarm; the later write is processed", async () => {
    const { old, later } = await overwritten(Buffer.from("<!doctype html>"), Buffer.from("later"));

    const Records = [old.record, later.record];
    expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf());

    const row = await program.row(old.event);
    expect(row).to.include({ event_status: "failed", no_alarm: true });
    expect(row).to.not.have.any.keys("event_result", "alarmed_at");
    expect(row?.last_error).to.include({ code: "ObjectReplaced", step: "process" });
    expect(row?.event_history?.at(-1)).to.include({ status: "failed", code: "ObjectReplaced" });
    expect((await program.row(later.event))?.event_result).to.include({ size: "later".length });
  });

  it("notices a write between its reads of one file, also while it asks for the checksum", async () => {
    const long = (text: string) => Buffer.alloc(200_000, text);
    for (const second of ["s3:GetObject", "s3:HeadObject"]) {
      // The type of sound is behind its tag; the checksum of a long text is asked for.
      const Body =
        second === "s3:GetObject"
          ? Buffer.concat([id3(200_000), Buffer.from("fLaC\0")])
          : long("text ");
      const { later } = await overwritten(long("first "), Body);
      let calls = 0;
      program.onCall = async ({ request }) => {
        calls += request.url.includes(later.event.event_info.Key) ? 1 : 0;
        if (calls === 2) {
          calls += 1;
          const { Bucket, Key } = later.event.event_info;
          await program.s3.send(new PutObjectCommand({ Bucket, Key, Body: "another" }));
        }
      };

      await program.invoke("process", { Records: [later.record] });

      const row = await program.row(later.event);
      expect(row?.last_error, second).to.include({ code: "ObjectReplaced" });
      program.reset();
    }
  });

  it("takes an ETag with quotes or of parts, and a row without one", async () => {
    const { Bucket, Key } = (await storedEvent(photo)).event.event_info;
    const upload = await program.s3.send(
      new CreateMultipartUploadCommand({ Bucket, Key, ContentType: "text/plain" }),
    );
    const part = { Bucket, Key, UploadId: upload.UploadId, PartNumber: 1 };
    const { ETag } = await program.s3.send(new UploadPartCommand({ ...part, Body: "parts" }));
    const whole = await program.s3.send(
      new CompleteMultipartUploadCommand({
        ...{ Bucket, Key, UploadId: upload.UploadId },
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
      }),
    );
    expect(whole.ETag).to.match(/-1"$/);
    const tags = [whole.ETag, whole.ETag?.replaceAll('"', ""), undefined, ""];
    for (const eTag of tags) {
      const event_info = { Bucket, Key, ETag: eTag };
      const { event, record } = await program.putEvent({ event_status: "created", event_info });

      await program.invoke("process", { Records: [record] });

      const row = await program.row(event);
      expect(row, String(eTag)).to.include({ event_status: "processed" });
      expect(row?.event_result).to.include({ size: "parts".length });
    }
  });

  it("changes nothing when a record is redelivered", async () => {
    const { event, record } = await storedEvent(photo);
    await program.invoke("process", { Records: [record] });
    const row = await program.row(event);

    const redelivery = await program.invoke("process", { Records: [record, record] });

    expect(redelivery).to.deep.equal(failuresOf());
    expect(await program.row(event)).to.deep.equal(row);
  });

  it("does not move an event back whose record is outdated", async () => {
    const { event } = await storedEvent(photo, "notified");
    const record = streamRecord(itemOf({ ...event, event_status: "uploaded" }));

    expect(await program.invoke("process", { Records: [record] })).to.deep.equal(failuresOf());

    expect(await program.row(event)).to.include({
      event_status: "notified",
      updated_at: event.updated_at,
    });
  });

  it("fails an event whose object is gone, and processes the rest of the batch", async () => {
    const gone = await storedEvent({}, "created");
    const files = [await storedEvent(photo), await storedEvent(photo)];

    const Records = [files[0], gone, files[1]].map((file) => file?.record);
    expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf());

    const row = await program.row(gone.event);
    expect(row).to.include({ event_status: "failed", failed_from: "created" });
    // Without s3:ListBucket, S3 answers 403 for a missing object.
    expect(row?.last_error).to.include({ code: "AccessDenied", step: "process" });
    expect(row?.last_error?.message).to.be.a("string").and.not.equal("");
    for (const { event } of files) {
      expect(await program.row(event)).to.include({ event_status: "processed" });
    }
    await program.logged("Processing failed permanently.", gone.event.event_id);
  });

  /** Throws this error in the first so many calls of each of these operations. */
  function failFirst(failures: Record<string, number>, error: AwsError): void {
    const left = { ...failures };
    program.onCall = ({ operation }) => {
      left[operation] = (left[operation] ?? 0) - 1;
      if (left[operation] >= 0) {
        throw error;
      }
    };
  }

  it("repeats the calls of one file that are throttled, and waits for none of its neighbours", async () => {
    const files = [await storedEvent(photo), await storedEvent(photo)];
    const Records = files.map(({ record }) => record);
    failFirst(
      { "s3:GetObject": 5, "dynamodb:UpdateItem": 5 },
      new AwsError("ThrottlingException", 400, "Rate exceeded"),
    );

    expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf());

    for (const { event } of files) {
      expect(await program.row(event)).to.include({ event_status: "processed" });
    }
    // Each call as often as it had to be: no step was repeated for the sake of the next one.
    expect(program.calls.toSorted()).to.deep.equal([
      ...Array<string>(7).fill("process dynamodb:UpdateItem"),
      ...Array<string>(7).fill("process s3:GetObject"),
      ...Array<string>(2).fill("process s3:HeadObject"),
    ]);
  });

  it("makes no request for records that it has just finished, whatever their end", async () => {
    const files = [await storedEvent(photo), await storedEvent({})];
    const Records = files.map(({ record }) => record);
    await program.invoke("process", { Records });
    program.reset();

    expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf());

    expect(program.calls).to.deep.equal([]);
  });

  it("reports a file alone whose object cannot be read: the shard waits", async () => {
    const { event, record } = await storedEvent(photo);
    failFirst({ "s3:GetObject": 8 }, new AwsError("SlowDown", 503, "Reduce your request rate."));

    expect(await program.invoke("process", { Records: [record] })).to.deep.equal(
      failuresOf(record),
    );

    expect(await program.invoke("process", { Records: [record] })).to.deep.equal(failuresOf());
    expect(await program.row(event)).to.include({ event_status: "processed" });
  });

  it("leaves the one file whose object cannot be read to the sweeper, after a transient error", async () => {
    const slow = await storedEvent(photo);
    const file = await storedEvent(photo);
    program.onCall = ({ operation, request }) => {
      if (operation === "s3:GetObject" && request.url.includes(slow.event.event_info.Key)) {
        throw new AwsError("ServiceUnavailable", 503, "Reduce your request rate.");
      }
    };

    const Records = [slow.record, file.record];
    expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf());

    await program.logged("Processing failed", "left to the sweeper", slow.event.event_id);
    await program.logged("S3Uploader", '"LeftToSweeper":1');
    expect(await program.row(slow.event)).to.include({ event_status: "uploaded" });
    expect(await program.row(file.event)).to.include({ event_status: "processed" });
    program.reset();
    await program.invoke("process", { Records: [slow.record] });
    expect(await program.row(slow.event)).to.include({ event_status: "processed" });
  });

  it("fails an event whose object cannot be read after the last redelivery, with the reason", async () => {
    const { event } = await storedEvent(photo);
    program.onCall = ({ operation }) => {
      if (operation === "s3:GetObject") {
        throw new AwsError("ServiceUnavailable", 503, "Reduce your request rate.");
      }
    };
    const recordOf = (attempts: number) => streamRecord(itemOf({ ...event, attempts }));
    const [earlier, last] = [recordOf(4), recordOf(5)];
    const other = await storedEvent(photo);

    const answer = await program.invoke("process", { Records: [earlier] });
    expect(answer).to.deep.equal(failuresOf(earlier));
    expect(await program.row(event)).to.include({ event_status: "uploaded" });
    // It ends, which does not mean that S3 works.
    const Records = [last, other.record];
    expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf(other.record));

    const row = await program.row(event);
    expect(row).to.include({ event_status: "failed", failed_from: "uploaded" });
    expect(row?.last_error).to.include({ code: "ServiceUnavailable", step: "process" });
  });

  it("leaves only the file whose status cannot be written to the sweeper, after a transient error", async () => {
    const files = [await storedEvent(photo), await storedEvent(photo)];
    const [slow] = files;
    program.onCall = ({ request }) => {
      if (request.body.includes(slow?.event.event_id ?? "")) {
        throw SERVER_ERROR;
      }
    };
    const Records = files.map(({ record }) => record);
    expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf());

    const rows = await Promise.all(files.map(({ event }) => program.row(event)));
    expect(rows.map((row) => row?.event_status)).to.deep.equal(["uploaded", "processed"]);
  });

  it("fails an event whose result the table rejects permanently", async () => {
    const { event, record } = await storedEvent(photo);
    program.onCall = ({ request }) => {
      if (request.body.includes('{"S":"processed"}')) {
        throw new AwsError("ValidationException", 400, "Item size has exceeded the maximum");
      }
    };

    expect(await program.invoke("process", { Records: [record] })).to.deep.equal(failuresOf());

    const row = await program.row(event);
    expect(row).to.include({ event_status: "failed", failed_from: "uploaded" });
    expect(row?.last_error).to.include({ code: "ValidationException", step: "process" });
  });

  it("holds up no other file for a row that takes no more: one that somebody has filled by hand", async () => {
    const { event, record } = await storedEvent(photo);
    program.onCall = ({ operation }) => {
      if (operation === "dynamodb:UpdateItem") {
        throw new AwsError(
          "ValidationException",
          400,
          "Item size to update has exceeded the limit",
        );
      }
    };

    expect(await program.invoke("process", { Records: [record] })).to.deep.equal(failuresOf());

    await program.logged("ERROR", "Row not written", event.event_id);
  });

  it("does not fail an event that another delivery has processed", async () => {
    const { event } = await storedEvent({}, "uploaded");
    await program.putRow(itemOf({ ...event, event_status: "processed" }));

    const Records = [streamRecord(itemOf(event))];
    expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf());

    expect(await program.row(event)).to.include({ event_status: "processed" });
  });

  it("clears alarmed_at of an earlier failure, so that this one is notified", async () => {
    const { event, record } = await storedEvent({}, "uploaded");
    await program.putRow(itemOf({ ...event, alarmed_at: "2026-11-21T20:00:00.000Z" }));

    await program.invoke("process", { Records: [record] });

    const row = await program.row(event);
    expect(row).to.include({ event_status: "failed" }).and.not.have.property("alarmed_at");
  });

  it("skips a row that is not an event, and logs its id", async () => {
    const { event, record } = await storedEvent(photo);
    const event_id = randomUUID();
    const broken: Item = { ...itemOf(event), event_id: { S: event_id }, event_info: { S: "{" } };

    const Records = [streamRecord(broken), record];
    expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf());

    expect(await program.row(event)).to.include({ event_status: "processed" });
    await program.logged("ERROR", "A row that is not an event", event_id);
  });
});

describe("process, with rejectMismatch", function () {
  let program: Program;

  before(async () => {
    program = await startProgram({
      rejectMismatch: "true",
      allowedContentTypes: "image/jpg, text/*, application/zip",
    });
  });

  after(() => program.stop());

  const ZIP = Buffer.concat([Buffer.from("PK\x03\x04"), Buffer.alloc(60)]);

  async function processed(Body: Buffer, ContentType: string | undefined) {
    const object = { Bucket: program.bucketName, Key: `types/${randomUUID()}` };
    await program.s3.send(new PutObjectCommand({ ...object, Body, ContentType }));
    const { event, record } = await program.putEvent({
      event_status: "created",
      event_info: object,
      event_result: undefined,
    });
    expect(await program.invoke("process", { Records: [record] })).to.deep.equal(failuresOf());
    return program.row(event);
  }

  it("processes a file of an allowed type, by any of its names", async () => {
    const files: [Body: Buffer, ContentType: string | undefined][] = [
      [JPEG, "image/pjpeg"],
      [JPEG, undefined],
      [Buffer.from("a,b"), "text/csv"],
      [Buffer.from("<?xml version='1.0'?><a/>"), "text/xml"],
      [ZIP, "application/x-zip-compressed"],
    ];
    for (const [Body, ContentType] of files) {
      expect(await processed(Body, ContentType), ContentType).to.include({
        event_status: "processed",
      });
    }
  });

  it("fails a file whose bytes contradict its declared type, or are of a type that is not allowed", async () => {
    const files: [Body: string, ContentType: string, type: string, message: RegExp][] = [
      [
        "<!doctype html>",
        "image/jpeg",
        "text/html",
        /^The file is text\/html by its bytes; the uploader declared image\/jpeg\.$/,
      ],
      [
        "%PDF-1.7\n",
        "application/octet-stream",
        "application/pdf",
        /^The file is application\/pdf by its bytes; allowed are image\/jpg, text\/\*, application\/zip\.$/,
      ],
      [
        "%PDF-1.7\n",
        "image/jpeg",
        "application/pdf",
        /application\/pdf .* declared image\/jpeg; allowed are image/,
      ],
    ];
    for (const [Body, ContentType, type, message] of files) {
      const row = await processed(Buffer.from(Body), ContentType);

      expect(row, ContentType).to.include({
        event_status: "failed",
        failed_from: "created",
        no_alarm: true,
      });
      expect(row?.event_result).to.include({ size: Body.length, type });
      expect(row?.last_error).to.include({ code: "TypeMismatch", step: "process" });
      expect(row?.last_error?.message).to.match(message);
    }
  });
});
