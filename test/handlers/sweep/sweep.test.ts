import { randomUUID } from "node:crypto";
import { DeleteItemCommand, ListTablesCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { AwsError } from "local-aws";
import type { FileEvent } from "../../../events/event";
import { newUpload, SIGNED_PREFIX, UPLOAD_PREFIX } from "../../../events/identity";
import { putTombstone } from "../../../store/tombstones";
import { clientSettings } from "../../../testing/clients";
import { failedEvent, itemOf, processedEvent } from "../../../testing/events";
import { eventually } from "../../../testing/eventually";
import { s3Record } from "../../../testing/records";
import { type Program, startProgram } from "../../../testing/startProgram";
import { upToDate } from "./iteratorAge";

const STUCK_SECONDS = 4;
const MAX_ATTEMPTS = 2;

function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}

describe("sweep", function () {
  let program: Program;
  let sqs: SQSClient;

  before(async () => {
    program = await startProgram({
      stuckSeconds: String(STUCK_SECONDS),
      maxAttempts: String(MAX_ATTEMPTS),
      alarmEmail: "operations@example.com",
    });
    sqs = new SQSClient(clientSettings(program.run));
  });

  after(async () => {
    sqs.destroy();
    await program.stop();
  });

  beforeEach(async () => {
    program.reset();
    program.answerCall = upToDate;
    // Other tests' rows would be swept as well.
    const { tableName: TableName, dynamo } = program;
    const { Items: items = [] } = await dynamo.send(new ScanCommand({ TableName }));
    await Promise.all(
      items.map(({ event_id = { S: "" }, event_timestamp = { S: "" } }) =>
        dynamo.send(new DeleteItemCommand({ TableName, Key: { event_id, event_timestamp } })),
      ),
    );
  });

  function sweep() {
    return program.invoke("sweep", {});
  }

  /** The counts that the run wrote for CloudWatch. */
  async function counts() {
    return JSON.parse(await program.logged('{"_aws"')) as Record<string, unknown>;
  }

  /** Puts a row that has not changed for this many seconds. */
  async function rowFrom(seconds: number, changes: Partial<FileEvent> = {}): Promise<FileEvent> {
    const event = processedEvent({
      event_id: randomUUID(),
      event_timestamp: ago(seconds),
      updated_at: ago(seconds),
      ...changes,
    });
    await program.putRow(itemOf(event));
    return event;
  }

  describe("a stuck row", () => {
    for (const event_status of ["created", "uploaded", "processed"] as const) {
      it(`in ${event_status} is redelivered, by a change that keeps its status`, async () => {
        const event = await rowFrom(60, { event_status });

        expect(await sweep()).to.include({ functionError: undefined });

        const row = await program.row(event);
        expect(row).to.include({ event_status, attempts: 1 });
        expect(Date.now() - Date.parse(row?.updated_at ?? "")).to.be.within(0, 60_000);
      });

      it(`in ${event_status} becomes failed after too many attempts`, async () => {
        const event = await rowFrom(60, { event_status, attempts: MAX_ATTEMPTS });

        await sweep();

        const row = await program.row(event);
        expect(row).to.include({ event_status: "failed", failed_from: event_status, attempts: 2 });
        expect(row).to.not.have.property("alarmed_at");
        expect(row?.last_error).to.include({ code: "TooManyAttempts", step: "sweep" });
        expect(row?.last_error?.message).to.contain(`"${event_status}"`).and.contain("4 seconds");
      });
    }

    it("is redelivered once by two concurrent sweepers", async () => {
      const events = await Promise.all(Array.from({ length: 20 }, () => rowFrom(60)));

      await Promise.all([sweep(), sweep()]);

      for (const event of events) {
        expect(await program.row(event)).to.include({ attempts: 1 });
      }
    });

    it("that is not an event is redelivered like any other", async () => {
      const [event, other] = [await rowFrom(60), await rowFrom(60)];
      await program.putRow({ ...itemOf(event), event_info: { S: "{}" } });

      expect(await sweep()).to.include({ functionError: undefined });

      expect(await counts()).to.include({ DrivenOn: 2 });
      expect(await program.row(other)).to.include({ attempts: 1 });
    });
  });

  describe("does not change", () => {
    const untouched: Record<string, () => Promise<FileEvent>> = {
      "a new row": () => rowFrom(1),
      "an old row with a recent change": () => rowFrom(60, { updated_at: ago(1) }),
      "an event that is notified": () => rowFrom(60, { event_status: "notified" }),
      "a failed event with an alarm": () =>
        rowFrom(60, failedEvent({ ...rowKey(60), alarmed_at: ago(30) })),
      "a failed event that gets no alarm": () =>
        rowFrom(60, failedEvent({ ...rowKey(60), no_alarm: true })),
      "a failed event of two days ago": () => rowFrom(0, failedEvent(rowKey(2 * 86_400))),
    };
    for (const [what, put] of Object.entries(untouched)) {
      it(what, async () => {
        const event = await put();
        await sweep();
        expect(await program.row(event)).to.deep.equal(JSON.parse(JSON.stringify(event)));
      });
    }
  });

  function rowKey(seconds: number) {
    const event_timestamp = ago(seconds);
    return { event_id: randomUUID(), event_timestamp, updated_at: event_timestamp };
  }

  it("redelivers a failure without an alarm, and keeps its time", async () => {
    const event = await rowFrom(0, failedEvent(rowKey(60)));
    await sweep();
    expect(await program.row(event)).to.deep.include({
      event_status: "failed",
      attempts: 1,
      updated_at: event.updated_at,
      last_error: event.last_error,
    });
  });

  describe("an object", () => {
    async function putObject(key: string) {
      await program.s3.send(
        new PutObjectCommand({
          Bucket: program.bucketName,
          Key: key,
          Body: "12345",
          IfNoneMatch: "*",
        }),
      );
    }

    it("without a row gets one after the grace period; other objects and rows stay", async () => {
      const { object_key: key, ...lost } = newUpload(UPLOAD_PREFIX, "ü a.txt");
      const { object_key: knownKey, ...known } = newUpload(UPLOAD_PREFIX, "known.txt");
      const foreign = `uploads/${randomUUID()}.txt`;
      await Promise.all([putObject(key), putObject(knownKey), putObject(foreign)]);
      const row = processedEvent({
        ...known,
        event_status: "notified",
        event_info: { Bucket: program.bucketName, Key: knownKey },
      });
      await program.putRow(itemOf(row));
      await sweep();
      expect(await program.rowsOf(key)).to.deep.equal([]);

      const written = await eventually(async () => {
        await sweep();
        return (await program.rowsOf(key))[0];
      });

      expect(written).to.deep.include({
        ...lost,
        event_status: "created",
        event_info: {
          Bucket: program.bucketName,
          Key: key,
          Size: 5,
          ETag: "827ccb0eea8a706c4c34a16891f84e7b",
          FileName: "ü a.txt",
        },
      });
      expect(await program.row(known)).to.deep.equal(row);
      expect(await program.rowsOf(foreign)).to.deep.equal([]);
    });
  });

  describe("a dead letter", () => {
    let bucket: string;

    beforeEach(() => {
      bucket = `bucket-${randomUUID()}`;
    });

    async function send(body: unknown): Promise<string> {
      const { MessageId } = await sqs.send(
        new SendMessageCommand({
          QueueUrl: String(program.run.outputs.deadLetterQueueUrl),
          MessageBody: typeof body === "string" ? body : JSON.stringify(body),
        }),
      );
      return MessageId ?? "";
    }

    /** As Lambda writes it after the last failed attempt of a bucket's event. */
    function sendLost(...encodedKeys: string[]) {
      const Records = encodedKeys.map((encodedKey) => s3Record({ bucket, encodedKey }));
      return send({ version: "1.0", requestContext: {}, requestPayload: { Records } });
    }

    function isQueued(messageId: string): boolean {
      return JSON.stringify(program.run.deadLetters()).includes(messageId);
    }

    it("of the bucket becomes rows, and is deleted", async () => {
      const message = await sendLost("a+b", "c");

      expect(await sweep()).to.include({ functionError: undefined });

      const rows = await program.rowsOf(bucket);
      expect(rows.map(({ event_info }) => event_info.Key)).to.have.members(["a b", "c"]);
      expect(isQueued(message)).to.equal(false);
      expect(await counts()).to.include({ WrittenFromDeadLetters: 2 });
    });

    it("of an upload whose event was deleted becomes no row; its object is deleted", async () => {
      const { object_key: Key, ...identity } = newUpload(SIGNED_PREFIX, "late.txt");
      const { dynamo, bucketName: Bucket } = program;
      const { TableNames: names = [] } = await dynamo.send(new ListTablesCommand({}));
      const reservationsTableName = names.find((name) => name.includes("idempotency")) ?? fail();
      const event = processedEvent({ ...identity, event_info: { Bucket, Key } });
      await putTombstone({ dynamo, reservationsTableName }, event);
      await program.s3.send(new PutObjectCommand({ Bucket, Key, Body: "late", IfNoneMatch: "*" }));
      bucket = Bucket;
      const message = await sendLost(Key);

      expect(await sweep()).to.include({ functionError: undefined });

      expect(await program.rowsOf(Key)).to.deep.equal([]);
      expect(isQueued(message)).to.equal(false);
      const head = program.s3.send(new HeadObjectCommand({ Bucket, Key }));
      expect(await head.catch((error: unknown) => (error as Error).name)).to.equal("NotFound");
    });

    it("of a stream, or with any other content, stays in the queue", async () => {
      const stream = { requestContext: {}, DDBStreamBatchInfo: { shardId: "shardId-1" } };
      const bodies = [stream, "no JSON", "null", "{}", { requestPayload: { Records: [{}, null] } }];
      const messages = await Promise.all(bodies.map(send));
      const lost = await sendLost("after");

      expect(await sweep()).to.include({ functionError: undefined });

      expect(messages.map(isQueued)).to.deep.equal(messages.map(() => true));
      expect(isQueued(lost)).to.equal(false);
      expect(await counts()).to.include({ DeadLettersLeft: messages.length });
    });

    it("with an invalid key stays, and its other records get their rows", async () => {
      const message = await sendLost("before", "100%", "after");

      expect(await sweep()).to.include({ functionError: undefined });

      const rows = await program.rowsOf(bucket);
      expect(rows.map(({ event_info }) => event_info.Key)).to.have.members(["before", "after"]);
      expect(isQueued(message)).to.equal(true);
    });

    it("stays while the table refuses its row, and the run reports an error", async () => {
      const message = await sendLost("later");
      program.onCall = ({ operation }) => {
        if (operation === "dynamodb:TransactWriteItems") {
          throw new AwsError("InternalServerError", 500, "no");
        }
      };

      expect(await sweep()).to.include({ functionError: "Unhandled" });

      expect(isQueued(message)).to.equal(true);
      expect((await counts()).Errors).to.be.at.least(1);
    });
  });

  for (const [part, call] of Object.entries({
    "the index": "dynamodb:Query",
    "the listing": "s3:ListObjectsV2",
    "the queue": "sqs:ReceiveMessage",
    "the Lambdas' position": "cloudwatch:GetMetricData",
  })) {
    it(`completes all other parts when ${part} cannot be read, and then fails`, async () => {
      const event = await rowFrom(60);
      program.onCall = ({ operation, request }) => {
        // The table of the counts is queried as well.
        const isIndex = request.body.includes("time-index");
        if (operation === call && (isIndex || operation !== "dynamodb:Query")) {
          throw new AwsError("AccessDenied", 403, "no");
        }
      };

      expect(await sweep()).to.include({ functionError: "Unhandled" });

      expect(program.calls).to.include.members([
        "sweep dynamodb:Query",
        "sweep s3:ListObjectsV2",
        "sweep sqs:ReceiveMessage",
      ]);
      expect(await program.row(event)).to.include(
        call === "s3:ListObjectsV2" || call === "sqs:ReceiveMessage"
          ? { attempts: 1 }
          : { event_status: "processed" },
      );
      program.reset();
      await sweep();
    });
  }

  it("mails operators when a Lambda is not invoked for redelivered events, and fails none", async () => {
    // The streams are not read, so that CloudWatch has no data of invocations after this.
    program.reset();
    const event = await rowFrom(0, { event_status: "uploaded", attempts: MAX_ATTEMPTS });

    const mail = await eventually(async () => {
      await sweep();
      return (await program.mails()).find(({ subject }) =>
        subject.startsWith("Not invoked: process"),
      );
    });

    expect(mail.to).to.equal("operations@example.com");
    expect(mail.subject).to.match(/^Not invoked: process-\w+$/);
    expect(mail.text).to.contain("event source mapping");
    expect(await counts()).to.have.property("SilentConsumers");
    expect(await program.row(event)).to.include({ event_status: "uploaded" });
  });

  it("writes its metrics at the top level of a log entry, where CloudWatch reads them", async () => {
    await rowFrom(60);
    await sweep();

    const entry = await counts();
    expect(entry).to.include({ DrivenOn: 1, GivenUp: 0, WrittenFromListing: 0, Errors: 0 });
    expect(entry.FunctionName).to.match(/sweep/);
    expect(entry).to.have.nested.property("_aws.CloudWatchMetrics[0].Namespace", "S3Uploader");
    expect(entry).to.have.nested.property("_aws.CloudWatchMetrics[0].Metrics[0].Name", "DrivenOn");
  });
});

function fail(): never {
  throw new Error("There is no such event.");
}
