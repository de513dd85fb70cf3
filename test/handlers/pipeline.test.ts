import { randomUUID } from "node:crypto";
import { createHash } from "node:crypto";
import { PutObjectCommand, type PutObjectCommandInput } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { AwsError } from "local-aws";
import type { FileEvent } from "../../events/event";
import { newUploadIdentity, uploadKey } from "../../events/identity";
import type { Item } from "../../events/item";
import {
  failedEvent,
  itemOf,
  processedEvent,
  s3Record,
  streamRecord,
} from "../../testing/factories";
import { JPEG } from "../../testing/files";
import { eventually, type Program, startProgram } from "../../testing/startProgram";
import { uuidv7At } from "../events/arbitraries";

type StreamRecord = ReturnType<typeof streamRecord>;

const SERVER_ERROR = new AwsError("InternalServerError", 500, "no");

/** What a stream Lambda answers to have these records run again. */
function failuresOf(...records: StreamRecord[]) {
  return {
    answer: {
      batchItemFailures: records.map(({ dynamodb }) => ({
        itemIdentifier: dynamodb.SequenceNumber,
      })),
    },
    functionError: undefined,
  };
}

describe("the Lambdas behind the upload, for real", function () {
  this.timeout(30_000);

  let program: Program;

  before(async () => {
    program = await startProgram();
  });

  after(async () => {
    await program.stop();
  });

  beforeEach(() => {
    program.reset();
  });

  /** An entry of a Lambda's log that says all of this. */
  function logged(...texts: string[]) {
    return eventually(() =>
      program.events.find(
        (event) => event.type === "log" && texts.every((text) => event.line.includes(text)),
      ),
    );
  }

  describe("record", () => {
    /** A bucket's name of the test's own: its rows are found by it. */
    let bucket: string;

    beforeEach(() => {
      bucket = `bucket-${randomUUID()}`;
    });

    /** An upload whose key is of so many seconds ago. */
    function uploadFrom(seconds: number) {
      const time = Date.now() - seconds * 1000;
      const identity = { event_id: uuidv7At(time), event_timestamp: new Date(time).toISOString() };
      return { ...identity, encodedKey: uploadKey(identity, "a.jpg") };
    }

    it("writes a row for each record, with the key as it really is", async () => {
      const keys = {
        "photos/a+cat.jpg": "photos/a cat.jpg",
        "a%2Bb%20c%2525": "a+b c%25",
        "%C3%BCn%C3%AF/%E5%86%99%E7%9C%9F+%F0%9F%98%80": "ünï/写真 😀",
        "folder/": "folder/",
      };

      const Records = Object.keys(keys).map((encodedKey) =>
        s3Record({ bucket, encodedKey, size: 7 }),
      );
      const { functionError } = await program.invoke("record", { Records });

      expect(functionError).to.equal(undefined);
      const rows = await program.rowsOf(bucket);
      expect(rows.map(({ event_info }) => event_info.Key)).to.have.members(Object.values(keys));
      const photo = rows.find(({ event_info }) => event_info.Key === "photos/a cat.jpg");
      expect(photo).to.deep.include({
        event_status: "created",
        event_timestamp: "2026-11-21T20:00:00.000Z",
        event_info: {
          Bucket: bucket,
          Key: "photos/a cat.jpg",
          Size: 7,
          ETag: "d41d8cd98f00b204e9800998ecf8427e",
          FileName: "a cat.jpg",
        },
      });
    });

    it("takes an object however it was made", async () => {
      const made = ["Put", "Post", "Copy", "CompleteMultipartUpload"];
      const Records = made.map((how) =>
        s3Record({ bucket, encodedKey: how, eventName: `ObjectCreated:${how}` }),
      );
      await program.invoke("record", { Records });
      const rows = await program.rowsOf(bucket);
      expect(rows.map(({ event_info }) => event_info.Key)).to.have.members(made);
    });

    it("writes one row for an event that comes five times, some of them at once", async () => {
      const event = { Records: [s3Record({ bucket, encodedKey: "once" })] };
      const deliver = () => program.invoke("record", event);
      await deliver();
      const first = await program.rowsOf(bucket);

      const answers = await Promise.all([deliver(), deliver(), deliver(), deliver()]);

      expect(answers.map(({ functionError }) => functionError)).to.deep.equal(Array(4));
      expect(first).to.have.lengthOf(1);
      expect(await program.rowsOf(bucket)).to.deep.equal(first);
    });

    it("writes a row for every write to a key", async () => {
      const Records = ["01", "02"].map((sequencer) =>
        s3Record({ bucket, encodedKey: "k", sequencer }),
      );
      await program.invoke("record", { Records });
      expect(await program.rowsOf(bucket)).to.have.lengthOf(2);
    });

    it("asks the table nothing about what the upload API has just put", async () => {
      for (const seconds of [-1, 0, 59]) {
        const { encodedKey } = uploadFrom(seconds);
        const eventTime = new Date().toISOString();
        await program.invoke("record", { Records: [s3Record({ bucket, encodedKey, eventTime })] });
      }

      expect(program.calls).to.deep.equal([]);
      await logged("The upload API writes the row.");
    });

    const others: Record<string, { eventName: string; seconds: number }> = {
      "that a form put": { eventName: "ObjectCreated:Post", seconds: 1 },
      "that is a copy": { eventName: "ObjectCreated:Copy", seconds: 1 },
      "that came in parts": { eventName: "ObjectCreated:CompleteMultipartUpload", seconds: 1 },
      "that a repeated request put later": { eventName: "ObjectCreated:Put", seconds: 90 },
      "whose key is of the future": { eventName: "ObjectCreated:Put", seconds: -90 },
    };
    for (const [what, { eventName, seconds }] of Object.entries(others)) {
      it(`writes the row of an upload ${what}`, async () => {
        const { encodedKey, ...identity } = uploadFrom(seconds);
        const eventTime = new Date().toISOString();
        const event = { Records: [s3Record({ bucket, encodedKey, eventName, eventTime })] };

        await program.invoke("record", event);

        const row = await program.row(identity);
        expect(row).to.deep.include({ ...identity, event_status: "created" });
      });
    }

    it("leaves the row of an upload as it is, and does not even try to write it", async () => {
      const identity = newUploadIdentity();
      const Key = uploadKey(identity, "a b.jpg");
      const uploaded: FileEvent = {
        ...identity,
        event_status: "uploaded",
        event_info: { Bucket: bucket, Key, FileName: "a b.jpg", Checksum: "abc" },
        updated_at: "2026-11-21T20:00:00.000Z",
      };
      await program.putRow(itemOf(uploaded));

      const encodedKey = encodeURIComponent(Key).replaceAll("%2F", "/").replaceAll("%20", "+");
      await program.invoke("record", { Records: [s3Record({ bucket, encodedKey })] });

      expect(await program.rowsOf(bucket)).to.deep.equal([uploaded]);
      expect(program.calls).to.deep.equal(["record dynamodb:GetItem"]);
    });

    it("writes the row of an upload that got none, under the identity in its key", async () => {
      const identity = newUploadIdentity();
      const encodedKey = encodeURIComponent(uploadKey(identity, "ü.jpg")).replaceAll("%2F", "/");
      await program.invoke("record", { Records: [s3Record({ bucket, encodedKey })] });
      expect(await program.row(identity)).to.deep.include({ ...identity, event_status: "created" });
    });

    it("writes all others before it fails for one that it cannot read", async () => {
      const Records = ["before", "100%", "after"].map((encodedKey) =>
        s3Record({ bucket, encodedKey }),
      );

      const { functionError, answer } = await program.invoke("record", { Records });

      expect(functionError).to.equal("Unhandled");
      expect(answer).to.include({ errorType: "URIError" });
      const rows = await program.rowsOf(bucket);
      expect(rows.map(({ event_info }) => event_info.Key)).to.have.members(["before", "after"]);
      await logged("A record could not be written.");
    });

    it("fails when the table does, so that Lambda repeats the event", async () => {
      program.onCall = () => {
        throw SERVER_ERROR;
      };
      const event = { Records: [s3Record({ bucket, encodedKey: "later" })] };
      expect(await program.invoke("record", event)).to.include({ functionError: "Unhandled" });
      program.reset();

      await program.invoke("record", event);

      expect(await program.rowsOf(bucket)).to.have.lengthOf(1);
    });
  });

  /** A new row, and the stream record that tells of it. */
  async function putEvent(
    changes: Partial<FileEvent>,
    changedAt?: number,
  ): Promise<{ event: FileEvent; record: StreamRecord }> {
    const event = processedEvent({ ...newUploadIdentity(), ...changes });
    await program.putRow(itemOf(event));
    return { event, record: streamRecord(itemOf(event), changedAt) };
  }

  describe("process", () => {
    async function storedEvent(
      object: Pick<
        PutObjectCommandInput,
        "ContentType" | "ChecksumAlgorithm" | "ChecksumSHA256"
      > & { Body?: Buffer },
      event_status: "created" | "uploaded" | "notified" = "uploaded",
    ) {
      const Key = `process/${randomUUID()}`;
      const Bucket = program.bucketName;
      if (object.Body) {
        await program.s3.send(new PutObjectCommand({ ...object, Bucket, Key }));
      }
      return putEvent({ event_status, event_info: { Bucket, Key }, event_result: undefined });
    }

    const photo = { Body: JPEG, ContentType: "image/jpeg" };

    it("keeps what it found, for both statuses in which files come", async () => {
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

    it("takes an empty file, and one longer than what it reads, with S3's checksum", async () => {
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

    it("has S3's SHA-256 in hexadecimal, as the upload API has its own", async () => {
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

    it("changes nothing when a record is replayed", async () => {
      const { event, record } = await storedEvent(photo);
      await program.invoke("process", { Records: [record] });
      const row = await program.row(event);

      const replay = await program.invoke("process", { Records: [record, record] });

      expect(replay).to.deep.equal(failuresOf());
      expect(await program.row(event)).to.deep.equal(row);
    });

    it("takes no event back that is further along than its record says", async () => {
      const { event } = await storedEvent(photo, "notified");
      const record = streamRecord(itemOf({ ...event, event_status: "uploaded" }));

      expect(await program.invoke("process", { Records: [record] })).to.deep.equal(failuresOf());

      expect(await program.row(event)).to.include({
        event_status: "notified",
        updated_at: event.updated_at,
      });
    });

    it("ends an event whose object is gone as failed, and goes on with its neighbours", async () => {
      const gone = await storedEvent({}, "created");
      const files = [await storedEvent(photo), await storedEvent(photo)];

      const Records = [files[0], gone, files[1]].map((file) => file?.record);
      expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf());

      const row = await program.row(gone.event);
      expect(row).to.include({ event_status: "failed", failed_from: "created" });
      // S3 does not tell that an object is missing to whom may not list the bucket.
      expect(row?.last_error).to.include({ code: "AccessDenied", step: "process" });
      expect(row?.last_error?.message).to.be.a("string").and.not.equal("");
      for (const { event } of files) {
        expect(await program.row(event)).to.include({ event_status: "processed" });
      }
      await logged("The file cannot be processed.", gone.event.event_id);
    });

    it("has a file alone come again whose object cannot be read for now", async () => {
      const slow = await storedEvent(photo);
      const file = await storedEvent(photo);
      program.onCall = ({ operation, request }) => {
        if (operation === "s3:GetObject" && request.url.includes(slow.event.event_info.Key)) {
          throw new AwsError("ServiceUnavailable", 503, "Reduce your request rate.");
        }
      };

      const Records = [slow.record, file.record];
      expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf(slow.record));

      expect(await program.row(slow.event)).to.include({ event_status: "uploaded" });
      expect(await program.row(file.event)).to.include({ event_status: "processed" });
      program.reset();
      await program.invoke("process", { Records: [slow.record] });
      expect(await program.row(slow.event)).to.include({ event_status: "processed" });
    });

    it("has a file alone come again whose status cannot be written for now", async () => {
      const files = [await storedEvent(photo), await storedEvent(photo)];
      const [slow] = files;
      program.onCall = ({ request }) => {
        if (request.body.includes(slow?.event.event_id ?? "")) {
          throw SERVER_ERROR;
        }
      };
      const Records = files.map(({ record }) => record);
      expect(await program.invoke("process", { Records })).to.deep.equal(
        failuresOf(...Records.slice(0, 1)),
      );
    });

    it("ends an event as failed whose result the table will never take", async () => {
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

    it("fails no event for a late record that another delivery has brought further", async () => {
      const { event } = await storedEvent({}, "uploaded");
      await program.putRow(itemOf({ ...event, event_status: "processed" }));

      const Records = [streamRecord(itemOf(event))];
      expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf());

      expect(await program.row(event)).to.include({ event_status: "processed" });
    });

    it("takes away that people know of an earlier failure: this one is news", async () => {
      const { event, record } = await storedEvent({}, "uploaded");
      await program.putRow(itemOf({ ...event, alarmed_at: "2026-11-21T20:00:00.000Z" }));

      await program.invoke("process", { Records: [record] });

      const row = await program.row(event);
      expect(row).to.include({ event_status: "failed" }).and.not.have.property("alarmed_at");
    });

    it("leaves a row behind that is no event, with its id in the log", async () => {
      const { event, record } = await storedEvent(photo);
      const event_id = randomUUID();
      const broken: Item = { ...itemOf(event), event_id: { S: event_id }, event_info: { S: "{" } };

      const Records = [streamRecord(broken), record];
      expect(await program.invoke("process", { Records })).to.deep.equal(failuresOf());

      expect(await program.row(event)).to.include({ event_status: "processed" });
      await logged("ERROR", "A row that is not an event", event_id);
    });
  });

  describe("notify", () => {
    function notify(...Records: StreamRecord[]) {
      return program.invoke("notify", { Records });
    }

    async function statusesOf(...events: FileEvent[]) {
      const rows = await Promise.all(events.map((event) => program.row(event)));
      return rows.map((row) => row?.event_status);
    }

    async function processedFiles(count: number, changedAt?: number) {
      const files = await Promise.all(Array.from({ length: count }, () => putEvent({}, changedAt)));
      return {
        events: files.map(({ event }) => event),
        records: files.map(({ record }) => record),
      };
    }

    /** Ends the process that has sent the mails so far, with all that it remembers. */
    async function endEnvironment() {
      program.nextFault = { kind: "kill", afterMs: 0 };
      // A call that it is still busy with when its end comes.
      program.onCall = () => new Promise(() => undefined);
      const { records } = await processedFiles(1, 1);
      expect(await notify(...records)).to.include({ functionError: "Unhandled" });
      program.reset();
    }

    it("tells of one file in a mail of its own", async () => {
      const { events, records } = await processedFiles(1);

      expect(await notify(...records)).to.deep.equal(failuresOf());

      const [mail, ...more] = await program.mails();
      expect(more).to.deep.equal([]);
      expect(mail?.subject).to.equal("File processed: cat.jpg");
      expect(mail?.text).to.contain(events[0]?.event_id);
      expect(await statusesOf(...events)).to.deep.equal(["notified"]);
      expect(program.calls).to.deep.equal([
        "notify dynamodb:BatchGetItem",
        "notify sns:Publish",
        "notify dynamodb:UpdateItem",
      ]);
    });

    it("tells of the files of a batch in one digest", async () => {
      const { events, records } = await processedFiles(30);

      // The same file twice in a batch is still one file.
      expect(await notify(...records, ...records.slice(0, 3))).to.deep.equal(failuresOf());

      const [mail, ...more] = await program.mails();
      expect(more).to.deep.equal([]);
      expect(mail?.subject).to.equal("30 files processed");
      for (const { event_id } of events) {
        expect(mail?.text.split(event_id)).to.have.lengthOf(2);
      }
      expect(new Set(await statusesOf(...events))).to.deep.equal(new Set(["notified"]));
    });

    it("sends no second mail for records that are replayed", async () => {
      const { events, records } = await processedFiles(2);
      await notify(...records);
      const rows = await Promise.all(events.map((event) => program.row(event)));

      expect(await notify(...records)).to.deep.equal(failuresOf());

      expect(await program.mails()).to.have.lengthOf(1);
      expect(await Promise.all(events.map((event) => program.row(event)))).to.deep.equal(rows);
    });

    it("sends none either where the process that sent the first is gone", async () => {
      const { records } = await processedFiles(2);
      await notify(...records);
      expect(await program.mails()).to.have.lengthOf(1);
      await endEnvironment();

      expect(await notify(...records)).to.deep.equal(failuresOf());

      expect(await program.mails()).to.deep.equal([]);
    });

    it("sends none for old records of files that people know of", async () => {
      const old = Math.floor(Date.now() / 1000) - 3600;
      const { event } = await putEvent({ event_status: "notified" });
      const record = streamRecord(itemOf({ ...event, event_status: "processed" }), old);

      expect(await notify(record)).to.deep.equal(failuresOf());

      expect(await program.mails()).to.deep.equal([]);
      expect(await statusesOf(event)).to.deep.equal(["notified"]);
    });

    it("tells of two rows that share an id, each by its own timestamp", async () => {
      const { event, record } = await putEvent({});
      const other = await putEvent({
        event_id: event.event_id,
        event_timestamp: "2001-02-03T04:05:06.789Z",
      });

      expect(await notify(record, other.record)).to.deep.equal(failuresOf());

      expect((await program.mails()).map(({ subject }) => subject)).to.deep.equal([
        "2 files processed",
      ]);
      expect(await statusesOf(event, other.event)).to.deep.equal(["notified", "notified"]);
    });

    it("does tell of old records of files that nobody knows of: 150 of them", async () => {
      const old = Math.floor(Date.now() / 1000) - 3600;
      const { events, records } = await processedFiles(150, old);

      expect(await notify(...records)).to.deep.equal(failuresOf());

      expect((await program.mails()).map(({ subject }) => subject)).to.deep.equal([
        "150 files processed",
      ]);
      expect(new Set(await statusesOf(...events))).to.deep.equal(new Set(["notified"]));
    });

    it("has all come again, and marks none, when the mail is refused", async () => {
      const { events, records } = await processedFiles(3);
      program.onCall = ({ service }) => {
        if (service === "sns") {
          throw new AwsError("AuthorizationError", 403, "no");
        }
      };

      expect(await notify(...records)).to.deep.equal(failuresOf(...records));

      expect(await program.mails()).to.deep.equal([]);
      expect(await statusesOf(...events)).to.deep.equal(["processed", "processed", "processed"]);
      program.reset();
      expect(await notify(...records)).to.deep.equal(failuresOf());
      expect(await program.mails()).to.have.lengthOf(1);
    });

    /** Has SNS refuse, for good, each message that names one of these events. */
    function refuseMessagesOf(...events: FileEvent[]) {
      program.onCall = ({ service, request }) => {
        const isRefused = events.some(({ event_id }) => request.body.includes(event_id));
        if (service === "sns" && isRefused) {
          throw new AwsError("InvalidParameter", 400, "Invalid parameter: Message");
        }
      };
    }

    it("ends just the event as failed whose message SNS never takes, and tells of the rest", async () => {
      const { events, records } = await processedFiles(9);
      refuseMessagesOf(...events.slice(4, 5));

      expect(await notify(...records)).to.deep.equal(failuresOf());

      const [refused, ...others] = [events[4], ...events.slice(0, 4), ...events.slice(5)];
      const row = refused && (await program.row(refused));
      expect(row).to.include({ event_status: "failed", failed_from: "processed" });
      expect(row?.last_error).to.include({ step: "notify" });
      expect(row?.last_error?.code).to.contain("InvalidParameter");
      expect(new Set(await statusesOf(...others))).to.deep.equal(new Set(["notified"]));
      const texts = (await program.mails()).map(({ text }) => text).join();
      for (const { event_id } of others) {
        expect(texts.split(event_id)).to.have.lengthOf(2);
      }
    });

    it("has a refused file come again whose failure cannot be written for now", async () => {
      const { events, records } = await processedFiles(2);
      const [refused] = events;
      program.onCall = ({ operation, request }) => {
        if (!request.body.includes(refused?.event_id ?? "")) {
          return;
        }
        if (operation === "sns:Publish") {
          throw new AwsError("InvalidParameter", 400, "no");
        }
        if (operation === "dynamodb:UpdateItem") {
          throw SERVER_ERROR;
        }
      };
      expect(await notify(...records)).to.deep.equal(failuresOf(...records.slice(0, 1)));
      expect(await statusesOf(...events)).to.deep.equal(["processed", "notified"]);
    });

    it("looks up what the sweeper brings: another process may have told of it since", async () => {
      const { event } = await putEvent({ event_status: "notified" });
      const image = itemOf({ ...event, event_status: "processed", attempts: 1 });

      expect(await notify(streamRecord(image, Date.now() / 1000 + 1))).to.deep.equal(failuresOf());

      expect(await program.mails()).to.deep.equal([]);
    });

    describe("of failed events", () => {
      async function failedFiles(count: number, changedAt?: number) {
        const files = await Promise.all(
          Array.from({ length: count }, () =>
            putEvent(failedEvent({ ...newUploadIdentity() }), changedAt),
          ),
        );
        return {
          events: files.map(({ event }) => event),
          records: files.map(({ record }) => record),
        };
      }

      async function alarmsOf(...events: FileEvent[]) {
        const rows = await Promise.all(events.map((event) => program.row(event)));
        return rows.map((row) => row?.alarmed_at !== undefined);
      }

      it("tells operations in one message, and remembers it in the rows", async () => {
        const { events, records } = await failedFiles(3);

        expect(await notify(...records)).to.deep.equal(failuresOf());

        const [mail, ...more] = await program.mails();
        expect(more).to.deep.equal([]);
        expect(mail?.subject).to.equal("3 files failed");
        for (const event of events) {
          expect(mail?.text).to.contain(event.event_id);
          const row = await program.row(event);
          const { event_id, last_error, failed_from, updated_at } = event;
          expect(row).to.deep.include({ event_id, last_error, failed_from, updated_at });
          expect(Date.now() - Date.parse(row?.alarmed_at ?? "")).to.be.within(0, 10_000);
        }
        expect(new Set(program.calls)).to.deep.equal(
          new Set([
            "notify dynamodb:BatchGetItem",
            "notify sns:Publish",
            "notify dynamodb:UpdateItem",
          ]),
        );
      });

      it("publishes to the operations' topic, and notices of the same batch to people's", async () => {
        const bodies: string[] = [];
        program.onCall = ({ service, request }) => {
          if (service === "sns") {
            bodies.push(decodeURIComponent(request.body.toString()));
          }
        };
        const failed = await failedFiles(1);
        const processed = await processedFiles(1);

        await notify(...failed.records, ...processed.records);

        const { topicArn, alarmTopicArn } = program.run.outputs;
        expect(topicArn).to.not.equal(alarmTopicArn);
        expect(bodies.map((body) => body.includes(String(alarmTopicArn)))).to.have.members([
          true,
          false,
        ]);
        const alarm = bodies.find((body) => body.includes(String(alarmTopicArn)));
        expect(alarm).to.contain(failed.events[0]?.event_id);
      });

      it("sends no second message for a replay, nor where the first process is gone", async () => {
        const { records } = await failedFiles(2);
        await notify(...records);
        await notify(...records);
        expect(await program.mails()).to.have.lengthOf(1);
        await endEnvironment();

        expect(await notify(...records)).to.deep.equal(failuresOf());

        expect(await program.mails()).to.deep.equal([]);
      });

      it("tells again of an event that failed again after a retry", async () => {
        const { events, records } = await failedFiles(1);
        await notify(...records);
        const again = failedEvent({ ...events[0], updated_at: "2026-11-22T00:00:00.000Z" });
        await program.putRow(itemOf(again));

        await notify(streamRecord(itemOf(again)));

        expect(await program.mails()).to.have.lengthOf(2);
        expect(await alarmsOf(again)).to.deep.equal([true]);
      });

      it("tells of no failure that a retry has taken back in the meantime", async () => {
        const { events } = await failedFiles(1);
        const retried = { ...events[0], event_status: "uploaded" as const };
        await program.putRow(itemOf(processedEvent(retried)));

        await notify(streamRecord(itemOf(failedEvent(events[0])), 1));

        expect(await program.mails()).to.deep.equal([]);
      });

      it("has them come again, untold, when the message cannot go out for now", async () => {
        const { events, records } = await failedFiles(2);
        program.onCall = ({ service }) => {
          if (service === "sns") {
            throw SERVER_ERROR;
          }
        };
        expect(await notify(...records)).to.deep.equal(failuresOf(...records));
        expect(await alarmsOf(...events)).to.deep.equal([false, false]);
      });

      it("does not hold up the stream for a message that is refused for good", async () => {
        const { events, records } = await failedFiles(3);
        refuseMessagesOf(...events.slice(0, 1));

        expect(await notify(...records)).to.deep.equal(failuresOf());

        expect(await alarmsOf(...events)).to.deep.equal([false, true, true]);
      });
    });

    it("has a file alone come again whose status cannot be written, without a second mail", async () => {
      const { events, records } = await processedFiles(3);
      const [, slow] = events;
      program.onCall = ({ operation, request }) => {
        if (operation === "dynamodb:UpdateItem" && request.body.includes(slow?.event_id ?? "")) {
          throw SERVER_ERROR;
        }
      };

      expect(await notify(...records)).to.deep.equal(failuresOf(...records.slice(1, 2)));

      expect(await statusesOf(...events)).to.deep.equal(["notified", "processed", "notified"]);
      expect(await program.mails()).to.have.lengthOf(1);
      program.onCall = () => undefined;
      // As the stream brings them: the failed one, and what follows it.
      expect(await notify(...records.slice(1))).to.deep.equal(failuresOf());
      expect(await statusesOf(...events)).to.deep.equal(["notified", "notified", "notified"]);
      expect(await program.mails()).to.have.lengthOf(1);
    });

    it("has all come again, and tells of nothing, when it cannot look up what is known", async () => {
      const { events, records } = await processedFiles(1, 1);
      program.onCall = ({ operation }) => {
        if (operation === "dynamodb:BatchGetItem") {
          throw new AwsError("AccessDeniedException", 400, "no");
        }
      };

      expect(await notify(...records)).to.deep.equal(failuresOf(...records));

      expect(await program.mails()).to.deep.equal([]);
      expect(await statusesOf(...events)).to.deep.equal(["processed"]);
    });

    it("leaves a row behind that is no event, and tells of its neighbours", async () => {
      const { events, records } = await processedFiles(1);
      const broken: Item = { event_id: { S: randomUUID() }, event_info: { S: "null" } };

      expect(await notify(streamRecord(broken), ...records)).to.deep.equal(failuresOf());

      expect(await program.mails()).to.have.lengthOf(1);
      expect(await statusesOf(...events)).to.deep.equal(["notified"]);
    });
  });
});
