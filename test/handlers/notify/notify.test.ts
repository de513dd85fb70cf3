import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { AwsError } from "local-aws";
import type { FileEvent } from "../../../events/event";
import type { Item } from "../../../events/item";
import { failedEvent, itemOf, newIdentity, processedEvent } from "../../../testing/events";
import { failuresOf, type StreamRecord, streamRecord } from "../../../testing/records";
import { type Program, startProgram } from "../../../testing/startProgram";

const SERVER_ERROR = new AwsError("InternalServerError", 500, "no");

describe("notify", function () {
  let program: Program;

  before(async () => {
    program = await startProgram();
  });

  after(() => program.stop());

  beforeEach(() => {
    program.reset();
  });

  function notify(...Records: StreamRecord[]) {
    return program.invoke("notify", { Records });
  }

  async function statusesOf(...events: FileEvent[]) {
    const rows = await Promise.all(events.map((event) => program.row(event)));
    return rows.map((row) => row?.event_status);
  }

  async function processedFiles(count: number, changedAt?: number) {
    const files = await Promise.all(
      Array.from({ length: count }, () => program.putEvent({}, changedAt)),
    );
    return {
      events: files.map(({ event }) => event),
      records: files.map(({ record }) => record),
    };
  }

  /** Ends the execution environment, which remembers published notices. */
  async function endEnvironment() {
    program.nextFault = { kind: "kill", afterMs: 0 };
    // Keeps a call open until the process is killed.
    program.onCall = () => new Promise(() => undefined);
    const { records } = await processedFiles(1, 1);
    expect(await notify(...records)).to.include({ functionError: "Unhandled" });
    program.reset();
  }

  it("publishes one file as a mail of its own", async () => {
    const { events, records } = await processedFiles(1);

    expect(await notify(...records)).to.deep.equal(failuresOf());

    const [mail, ...more] = await program.mails();
    expect(more).to.deep.equal([]);
    expect(mail?.subject).to.equal('File processed: "cat.jpg"');
    expect(mail?.text).to.contain(events[0]?.event_id);
    expect(await statusesOf(...events)).to.deep.equal(["notified"]);
    expect(program.calls).to.deep.equal([
      "notify dynamodb:BatchGetItem",
      "notify sns:Publish",
      "notify dynamodb:UpdateItem",
    ]);
  });

  it("publishes the files of a batch in one digest", async () => {
    const { events, records } = await processedFiles(30);

    // A file with two records in a batch is listed once.
    expect(await notify(...records, ...records.slice(0, 3))).to.deep.equal(failuresOf());

    const [mail, ...more] = await program.mails();
    expect(more).to.deep.equal([]);
    expect(mail?.subject).to.equal("30 files processed");
    for (const { event_id } of events) {
      expect(mail?.text.split(event_id)).to.have.lengthOf(2);
    }
    expect(new Set(await statusesOf(...events))).to.deep.equal(new Set(["notified"]));
  });

  it("sends no second mail for redelivered records", async () => {
    const { events, records } = await processedFiles(2);
    await notify(...records);
    const rows = await Promise.all(events.map((event) => program.row(event)));

    expect(await notify(...records)).to.deep.equal(failuresOf());

    expect(await program.mails()).to.have.lengthOf(1);
    expect(await Promise.all(events.map((event) => program.row(event)))).to.deep.equal(rows);
  });

  it("sends no second mail from a new execution environment", async () => {
    const { records } = await processedFiles(2);
    await notify(...records);
    expect(await program.mails()).to.have.lengthOf(1);
    await endEnvironment();

    expect(await notify(...records)).to.deep.equal(failuresOf());

    expect(await program.mails()).to.deep.equal([]);
  });

  it("sends no mail for old records of notified files", async () => {
    const old = Math.floor(Date.now() / 1000) - 3600;
    const { event } = await program.putEvent({ event_status: "notified" });
    const record = streamRecord(itemOf({ ...event, event_status: "processed" }), old);

    expect(await notify(record)).to.deep.equal(failuresOf());

    expect(await program.mails()).to.deep.equal([]);
    expect(await statusesOf(event)).to.deep.equal(["notified"]);
  });

  it("publishes the others, where somebody wrote a row's field by hand in another type", async () => {
    const { record } = await program.putEvent({});
    const other = await program.putEvent({});
    const image = other.record.dynamodb.NewImage ?? expect.fail("The record has no image.");
    image.event_info = { S: '{"Bucket":"files","Key":"k","FileName":5}' };

    expect(await notify(other.record, record)).to.deep.equal(failuresOf());

    expect((await program.mails()).map(({ subject }) => subject)).to.deep.equal([
      'File processed: "cat.jpg"',
    ]);
  });

  it("publishes two rows with the same id, each by its own timestamp", async () => {
    const { event, record } = await program.putEvent({});
    const other = await program.putEvent({
      event_id: event.event_id,
      event_timestamp: "2001-02-03T04:05:06.789Z",
    });

    expect(await notify(record, other.record)).to.deep.equal(failuresOf());

    expect((await program.mails()).map(({ subject }) => subject)).to.deep.equal([
      "2 files processed",
    ]);
    expect(await statusesOf(event, other.event)).to.deep.equal(["notified", "notified"]);
  });

  it("publishes old records of files not yet notified: 150 of them", async () => {
    const old = Math.floor(Date.now() / 1000) - 3600;
    const { events, records } = await processedFiles(150, old);

    expect(await notify(...records)).to.deep.equal(failuresOf());

    expect((await program.mails()).map(({ subject }) => subject)).to.deep.equal([
      "150 files processed",
    ]);
    expect(new Set(await statusesOf(...events))).to.deep.equal(new Set(["notified"]));
  });

  it("reports all records, and marks none as notified, when SNS refuses the mail", async () => {
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

  /** Makes SNS refuse permanently each message that names one of these events. */
  function refuseMessagesOf(...events: FileEvent[]) {
    program.onCall = ({ service, request }) => {
      const isRefused = events.some(({ event_id }) => request.body.includes(event_id));
      if (service === "sns" && isRefused) {
        throw new AwsError("InvalidParameter", 400, "Invalid parameter: Message");
      }
    };
  }

  it("fails only the event whose message SNS refuses permanently, and publishes the rest", async () => {
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

  it("repeats the calls that are throttled: rows read, one mail, rows written", async () => {
    const { events, records } = await processedFiles(3);
    const left: Record<string, number> = {
      "dynamodb:BatchGetItem": 4,
      "sns:Publish": 4,
      "dynamodb:UpdateItem": 6,
    };
    program.onCall = ({ operation }) => {
      left[operation] = (left[operation] ?? 0) - 1;
      if (left[operation] >= 0) {
        throw new AwsError("ThrottlingException", 400, "Rate exceeded");
      }
    };

    expect(await notify(...records)).to.deep.equal(failuresOf());

    expect(await statusesOf(...events)).to.deep.equal(["notified", "notified", "notified"]);
    expect(await program.mails()).to.have.lengthOf(1);
  });

  it("makes no request for records that it has just finished", async () => {
    const processed = await processedFiles(2);
    const failed = await program.putEvent(failedEvent(newIdentity()));
    const done = await program.putEvent({ event_status: "notified" });
    const outdated = streamRecord(itemOf({ ...done.event, event_status: "processed" }));
    const records = [...processed.records, failed.record, outdated];
    await notify(...records);
    program.reset();

    expect(await notify(...records)).to.deep.equal(failuresOf());

    expect(program.calls).to.deep.equal([]);
  });

  it("leaves a refused file whose failure cannot be written to the sweeper, after a transient error", async () => {
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
    expect(await notify(...records)).to.deep.equal(failuresOf());
    expect(await statusesOf(...events)).to.deep.equal(["processed", "notified"]);
  });

  it("reads the rows that the sweeper retries: another process may have published them", async () => {
    const { event } = await program.putEvent({ event_status: "notified" });
    const image = itemOf({ ...event, event_status: "processed", attempts: 1 });

    expect(await notify(streamRecord(image, Date.now() / 1000 + 1))).to.deep.equal(failuresOf());

    expect(await program.mails()).to.deep.equal([]);
  });

  describe("for failed events", () => {
    async function failedFiles(count: number, changedAt?: number) {
      const files = await Promise.all(
        Array.from({ length: count }, () =>
          program.putEvent(failedEvent(newIdentity()), changedAt),
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

    it("alarms the operators in one message, and marks the rows", async () => {
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
        expect(Date.now() - Date.parse(row?.alarmed_at ?? "")).to.be.within(0, 60_000);
      }
      expect(new Set(program.calls)).to.deep.equal(
        new Set([
          "notify dynamodb:BatchGetItem",
          "notify sns:Publish",
          "notify dynamodb:UpdateItem",
        ]),
      );
    });

    it("publishes none about a failure that has replaced another one and gets none", async () => {
      const { event, record } = await program.putEvent(failedEvent(newIdentity()));
      await program.putRow(itemOf({ ...event, no_alarm: true }));

      expect(await notify(record)).to.deep.equal(failuresOf());

      expect(await program.mails()).to.deep.equal([]);
    });

    it("publishes alarms and notices of the same batch to different topics", async () => {
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

    it("sends no second alarm for redelivered records, nor from a new execution environment", async () => {
      const { records } = await failedFiles(2);
      await notify(...records);
      await notify(...records);
      expect(await program.mails()).to.have.lengthOf(1);
      await endEnvironment();

      expect(await notify(...records)).to.deep.equal(failuresOf());

      expect(await program.mails()).to.deep.equal([]);
    });

    it("alarms again for an event that failed again after a retry", async () => {
      const { events, records } = await failedFiles(1);
      await notify(...records);
      const again = failedEvent({ ...events[0], updated_at: "2026-11-22T00:00:00.000Z" });
      await program.putRow(itemOf(again));

      await notify(streamRecord(itemOf(again)));

      expect(await program.mails()).to.have.lengthOf(2);
      expect(await alarmsOf(again)).to.deep.equal([true]);
    });

    it("sends no alarm for a failure that has been retried meanwhile", async () => {
      const { events } = await failedFiles(1);
      const retried = { ...events[0], event_status: "uploaded" as const };
      await program.putRow(itemOf(processedEvent(retried)));

      await notify(streamRecord(itemOf(failedEvent(events[0])), 1));

      expect(await program.mails()).to.deep.equal([]);
    });

    it("reports all records, and marks none as alarmed, after a transient error of SNS", async () => {
      const { events, records } = await failedFiles(2);
      program.onCall = ({ service }) => {
        if (service === "sns") {
          throw SERVER_ERROR;
        }
      };
      expect(await notify(...records)).to.deep.equal(failuresOf(...records));
      expect(await alarmsOf(...events)).to.deep.equal([false, false]);
    });

    it("does not block the stream for a permanently refused message", async () => {
      const { events, records } = await failedFiles(3);
      refuseMessagesOf(...events.slice(0, 1));

      expect(await notify(...records)).to.deep.equal(failuresOf());

      expect(await alarmsOf(...events)).to.deep.equal([false, true, true]);
    });
  });

  it("reports only the file whose status cannot be written, and sends no second mail", async () => {
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
    // The stream redelivers the failed record and all after it.
    expect(await notify(...records.slice(1))).to.deep.equal(failuresOf());
    expect(await statusesOf(...events)).to.deep.equal(["notified", "notified", "notified"]);
    expect(await program.mails()).to.have.lengthOf(1);
  });

  it("holds up no other file for a row that takes no more, nor for one whose failure it does not take", async () => {
    const { events, records } = await processedFiles(2);
    const [full] = events;
    const refused = await program.putEvent({ event_info: { Bucket: "b", Key: "refused" } });
    program.onCall = ({ operation, request }) => {
      const ids = [full?.event_id ?? "", refused.event.event_id];
      if (operation === "dynamodb:UpdateItem" && ids.some((id) => request.body.includes(id))) {
        throw new AwsError(
          "ValidationException",
          400,
          "Item size to update has exceeded the limit",
        );
      }
      if (operation === "sns:Publish" && request.body.includes("refused")) {
        throw new AwsError("InvalidParameter", 400, "Invalid parameter: Message");
      }
    };

    expect(await notify(...records, refused.record)).to.deep.equal(failuresOf());

    expect(await statusesOf(...events)).to.deep.equal(["processed", "notified"]);
    await program.logged("ERROR", "Row not written", full?.event_id ?? "");
    await program.logged("ERROR", "Row not written", refused.event.event_id);
  });

  it("reports all records, and publishes nothing, when the rows cannot be read", async () => {
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

  it("skips a row that is not an event, and publishes the rest of the batch", async () => {
    const { events, records } = await processedFiles(1);
    const broken: Item = { event_id: { S: randomUUID() }, event_info: { S: "null" } };

    expect(await notify(streamRecord(broken), ...records)).to.deep.equal(failuresOf());

    expect(await program.mails()).to.have.lengthOf(1);
    expect(await statusesOf(...events)).to.deep.equal(["notified"]);
  });
});
