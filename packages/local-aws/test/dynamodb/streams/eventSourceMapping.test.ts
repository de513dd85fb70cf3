import { EventEmitter, once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import type { InvokeResult } from "../../../dynamodb/streams/batchDelivery";
import {
  createEventSourceMapping,
  type EventSourceMapping,
} from "../../../dynamodb/streams/eventSourceMapping";
import type { EventSourceMappingSettings } from "../../../dynamodb/streams/mappingSettings";
import type { StreamLog } from "../../../dynamodb/streams/streamLog";
import type { StreamRecord } from "../../../dynamodb/streams/streamRecord";
import { inFolder, insert, insertOf, openLog } from "../fixtures";

const OK: InvokeResult = { payload: "null" };
const FAILED: InvokeResult = { functionError: "Unhandled", payload: '{"errorMessage":"no"}' };
const FUNCTION_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:process";
const QUEUE_ARN = "arn:aws:sqs:eu-west-1:123456789012:dead-letters";

const idOf = (record: StreamRecord): string => String(record.dynamodb.Keys.event_id?.S);

describe("event source mapping", () => {
  const open: EventSourceMapping[] = [];
  afterEach(() => {
    open.splice(0).forEach((mapping) => {
      mapping.close();
    });
  });

  /** A mapping onto a Lambda that answers by `respond`, with its invokes, messages and errors. */
  const create = (
    settings: Partial<EventSourceMappingSettings> = {},
    respond: (records: StreamRecord[]) => InvokeResult | Promise<InvokeResult> = () => OK,
    stream: StreamLog = openLog(),
    send: (body: string) => Promise<void> = () => Promise.resolve(),
  ) => {
    const invoked = new EventEmitter();
    const batches: string[] = [];
    const sent: Record<string, Record<string, unknown>>[] = [];
    const errors: string[] = [];
    const mapping = createEventSourceMapping({
      id: "process",
      functionArn: FUNCTION_ARN,
      stream,
      settings: { startingPosition: "TRIM_HORIZON", ...settings },
      async invoke({ Records }) {
        batches.push(Records.map(idOf).join(""));
        invoked.emit("invoke");
        return respond(Records);
      },
      async send(arn, body) {
        await send(body);
        sent.push({ ...(JSON.parse(body) as (typeof sent)[0]), arn: { arn } });
      },
      onError: (error) => errors.push(error.message),
      delayScale: 0.001,
    });
    open.push(mapping);
    return { mapping, stream, batches, sent, errors, invoked };
  };
  /** Runs the records through a new mapping. */
  const run = async (ids: string, ...rest: Parameters<typeof create>) => {
    const made = create(...rest);
    insert(made.stream, ...Array.from(ids));
    made.mapping.start();
    await made.mapping.idle();
    return made;
  };
  const failuresOf = (records: StreamRecord[], bad: string): InvokeResult => ({
    payload: JSON.stringify({
      batchItemFailures: records
        .filter((record) => bad.includes(idOf(record)))
        .map(({ dynamodb }) => ({ itemIdentifier: dynamodb.SequenceNumber }))
        // The order of the answer means nothing: the lowest number counts.
        .reverse(),
    }),
  });

  describe("batches", () => {
    it("holds the waiting records, up to the batch size, in order", async () => {
      const { batches } = await run("abcde", { batchSize: 2 });

      expect(batches).to.deep.equal(["ab", "cd", "e"]);
    });

    it("reacts to a change within a few milliseconds when idle", async () => {
      const { mapping, stream, invoked } = create();
      mapping.start();
      await mapping.idle();

      const times: number[] = [];
      for (const id of "abcdefghijklmnopqrst") {
        const begin = performance.now();
        insert(stream, id);
        await once(invoked, "invoke");
        times.push(performance.now() - begin);
        await mapping.idle();
      }

      // The best of twenty: a busy machine may hold up any one of them.
      expect(Math.min(...times)).to.be.below(50);
    });

    it("does not count what the filter drops, nor invoke for it", async () => {
      const pattern = JSON.stringify({
        dynamodb: { NewImage: { event_status: { S: ["processed"] } } },
      });
      const { mapping, stream, batches } = create({
        batchSize: 2,
        filters: { filters: [{ pattern }] },
      });
      for (const id of "aBcDeFg") {
        stream.append(insertOf(id, id < "a" ? "processed" : "uploaded"))(true);
      }
      mapping.start();
      await mapping.idle();

      expect(batches).to.deep.equal(["BD", "F"]);
    });

    it("skips a change whose row was not written", async () => {
      const { mapping, stream, batches } = create();
      stream.append(insertOf("a"))(false);
      insert(stream, "b");
      mapping.start();
      await mapping.idle();

      expect(batches).to.deep.equal(["b"]);
    });

    it("waits for the batching window to gather more", async () => {
      const { mapping, stream, batches, invoked } = create({ maximumBatchingWindowSeconds: 1 });
      mapping.start();
      insert(stream, "a");
      await setImmediate();
      insert(stream, "b");
      expect(batches).to.deep.equal([]);
      await once(invoked, "invoke");

      expect(batches).to.deep.equal(["ab"]);
    });

    it("does not wait for the window when the batch is full", async () => {
      const { batches } = await run("abcd", { maximumBatchingWindowSeconds: 300, batchSize: 2 });

      expect(batches).to.deep.equal(["ab", "cd"]);
    });

    it("sends no payload over 6 MB", async () => {
      const { mapping, stream } = create({}, (records) => {
        sizes.push(JSON.stringify({ Records: records }).length);
        return OK;
      });
      const sizes: number[] = [];
      for (let n = 0; n < 20; n += 1) {
        const note = { S: "x".repeat(390_000) };
        const change = insertOf(`id-${n}`);
        stream.append({ ...change, newImage: { ...change.newImage, note } })(true);
      }
      mapping.start();
      await mapping.idle();

      expect(sizes).to.have.length(2);
      expect(sizes[0]).to.be.within(5_800_000, 6 * 1024 * 1024);
    });

    it("runs one batch of a shard at a time", async () => {
      let running = 0;
      let most = 0;
      await run("abcdef", { batchSize: 1 }, async () => {
        running += 1;
        most = Math.max(most, running);
        await Promise.resolve();
        running -= 1;
        return OK;
      });

      expect(most).to.equal(1);
    });

    it("runs batches of several shards at once, each key in order in its own", async () => {
      const seen = new Map<string, string[]>();
      const stream = openLog({ shardCount: 3 });
      const { mapping, batches } = create(
        { batchSize: 1, parallelizationFactor: 2 },
        ([record]) => {
          if (record) {
            const id = idOf(record);
            seen.set(id, [...(seen.get(id) ?? []), record.dynamodb.SequenceNumber]);
          }
          return OK;
        },
        stream,
      );
      for (let round = 0; round < 5; round += 1) {
        insert(stream, ...Array.from("abcdefgh"));
      }
      mapping.start();
      await mapping.idle();

      expect(batches).to.have.length(40);
      expect(batches.join("")).not.to.equal("abcdefgh".repeat(5));
      for (const numbers of seen.values()) {
        expect(numbers).to.have.length(5);
        expect(numbers).to.deep.equal([...numbers].sort());
      }
    });
  });

  describe("failures", () => {
    it("resends a failed batch, whole", async () => {
      let calls = 0;
      const { batches, errors } = await run("ab", {}, () => (++calls < 3 ? FAILED : OK));

      expect(batches).to.deep.equal(["ab", "ab", "ab"]);
      expect(errors).to.deep.equal([]);
    });

    it("ignores partial failures unless the mapping reports them", async () => {
      const { batches } = await run("ab", {}, (records) => failuresOf(records, "a"));

      expect(batches).to.deep.equal(["ab"]);
    });

    it("resumes from the lowest failed record", async () => {
      let calls = 0;
      const { batches } = await run("abcd", { reportBatchItemFailures: true }, (records) =>
        failuresOf(records, ++calls === 1 ? "db" : ""),
      );

      expect(batches).to.deep.equal(["abcd", "bcd"]);
    });

    for (const payload of [
      "",
      "null",
      "{}",
      '{"batchItemFailures":[]}',
      '{"batchItemFailures":null}',
    ]) {
      it(`treats ${payload || "no answer"} as success`, async () => {
        const { batches } = await run("ab", { reportBatchItemFailures: true }, () => ({ payload }));

        expect(batches).to.deep.equal(["ab"]);
      });
    }

    for (const payload of [
      "nonsense",
      '"ok"',
      '{"batchItemFailures":"a"}',
      '{"batchItemFailures":[{"itemIdentifier":""}]}',
      '{"batchItemFailures":[{"itemIdentifier":null}]}',
      '{"batchItemFailures":[{"itemIdentifier":"unknown"}]}',
      '{"batchItemFailures":[{"id":"x"}]}',
      '{"batchItemFailures":[null]}',
    ]) {
      it(`treats ${payload} as a failure of the whole batch, and reports it`, async () => {
        let calls = 0;
        const { batches, errors } = await run("ab", { reportBatchItemFailures: true }, () =>
          ++calls === 1 ? { payload } : OK,
        );

        expect(batches).to.deep.equal(["ab", "ab"]);
        expect(errors).to.have.length(1);
        expect(errors[0]).to.contain(payload).and.contain("itemIdentifier");
      });
    }

    it("bisects a failed batch where configured, and only the bad record fails", async () => {
      const { batches, sent } = await run(
        "abcd",
        { bisectBatchOnFunctionError: true, maximumRetryAttempts: 1, onFailureArn: QUEUE_ARN },
        (records) => (records.some((record) => idOf(record) === "c") ? FAILED : OK),
      );

      expect(batches).to.deep.equal(["abcd", "ab", "cd", "c", "c", "d"]);
      expect(sent.map((message) => message.DDBStreamBatchInfo?.batchSize)).to.deep.equal([1]);
    });

    it("bisects at the failed record when partial failures are reported as well", async () => {
      const { batches, sent } = await run(
        "abcd",
        {
          bisectBatchOnFunctionError: true,
          reportBatchItemFailures: true,
          maximumRetryAttempts: 1,
          onFailureArn: QUEUE_ARN,
        },
        (records) => failuresOf(records, "b"),
      );

      expect(batches).to.deep.equal(["abcd", "bcd", "bc", "b", "b", "c", "d"]);
      expect(sent).to.have.length(1);
    });

    it("discards a batch after its retries, with AWS's message, and continues", async () => {
      const { batches, sent, errors, stream } = await run(
        "ab",
        { maximumRetryAttempts: 2, onFailureArn: QUEUE_ARN, batchSize: 2 },
        (records) => (records.some((record) => idOf(record) === "a") ? FAILED : OK),
      );
      insert(stream, "c");
      await open[0]?.idle();

      expect(batches).to.deep.equal(["ab", "ab", "ab", "c"]);
      expect(errors).to.deep.equal([]);
      const [message] = sent;
      expect(message?.requestContext).to.deep.include({
        functionArn: FUNCTION_ARN,
        condition: "RetryAttemptsExhausted",
        approximateInvokeCount: 3,
      });
      expect(message?.requestContext?.requestId).to.match(/^[0-9a-f-]{36}$/);
      expect(message?.responseContext).to.deep.equal({
        statusCode: 200,
        executedVersion: "$LATEST",
        functionError: "Unhandled",
      });
      expect(message).to.include({ version: "1.0" });
      expect(message?.timestamp).to.match(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/);
      const info = message?.DDBStreamBatchInfo;
      expect(info).to.deep.include({
        shardId: "shardId-00000000000000000000",
        startSequenceNumber: "100000000000000000001",
        endSequenceNumber: "100000000000000000002",
        batchSize: 2,
        streamArn: stream.streamArn,
      });
      expect(info?.approximateArrivalOfFirstRecord).to.match(/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/);
      expect(message?.arn).to.deep.equal({ arn: QUEUE_ARN });
    });

    it("does not retry with no retries, and reports the loss without a destination", async () => {
      const { batches, errors } = await run("a", { maximumRetryAttempts: 0 }, () => FAILED);

      expect(batches).to.deep.equal(["a"]);
      expect(errors).to.have.length(1);
      expect(errors[0]).to.contain("RetryAttemptsExhausted").and.contain("100000000000000000001");
    });

    it("retries the destination, and reports a message it could not send", async () => {
      let sends = 0;
      const settings = { maximumRetryAttempts: 0, onFailureArn: QUEUE_ARN };
      const once = await run(
        "a",
        settings,
        () => FAILED,
        openLog(),
        () => (++sends === 1 ? Promise.reject(new Error("throttled")) : Promise.resolve()),
      );
      const never = await run(
        "a",
        settings,
        () => FAILED,
        openLog(),
        () => Promise.reject(new Error("no such queue")),
      );

      expect(once.sent).to.have.length(1);
      expect(once.errors).to.deep.equal([]);
      expect(never.errors).to.have.length(1);
      expect(never.errors[0]).to.contain("no such queue").and.contain("DDBStreamBatchInfo");
    });

    it("retries without limit when the function is not reached, and reports it once", async () => {
      let calls = 0;
      const { batches, errors, sent } = await run(
        "a",
        { maximumRetryAttempts: 0, onFailureArn: QUEUE_ARN },
        () => (++calls < 4 ? Promise.reject(new Error("Rate Exceeded.")) : OK),
      );

      expect(batches).to.deep.equal(["a", "a", "a", "a"]);
      expect(sent).to.deep.equal([]);
      expect(errors).to.have.length(1);
      expect(errors[0]).to.contain("Rate Exceeded.");
    });

    const aged = (seconds: number): StreamLog => {
      const stream = openLog();
      insert(stream, "a", "b");
      const record = stream.entryAfter(0)?.record;
      if (record) {
        record.dynamodb.ApproximateCreationDateTime -= seconds;
      }
      return stream;
    };

    it("discards records that are too old before they reach the function", async () => {
      const { batches, sent } = await run(
        "c",
        { maximumRecordAgeSeconds: 60, onFailureArn: QUEUE_ARN },
        () => OK,
        aged(90),
      );

      expect(batches).to.deep.equal(["bc"]);
      expect(sent).to.have.length(1);
      expect(sent[0]?.requestContext).to.include({
        condition: "RecordAgeExceeded",
        approximateInvokeCount: 0,
      });
      expect(sent[0]).not.to.have.property("responseContext");
      expect(sent[0]?.DDBStreamBatchInfo?.batchSize).to.equal(1);
    });

    it("attempts an expired record once, and discards it only when that fails", async () => {
      const fine = await run("", {}, () => OK, aged(90_000));
      const failing = await run(
        "",
        { onFailureArn: QUEUE_ARN },
        (records) => (records.some((record) => idOf(record) === "a") ? FAILED : OK),
        aged(90_000),
      );

      expect(fine.batches).to.deep.equal(["ab"]);
      expect(failing.batches).to.deep.equal(["ab", "b"]);
      expect(failing.sent[0]?.requestContext).to.include({ condition: "RecordAgeExceeded" });
    });

    it("loses nothing and keeps the order, whatever fails", async () => {
      const random = (limit: number): number => Math.floor(Math.random() * limit);
      for (let round = 0; round < 30; round += 1) {
        const done: string[] = [];
        const ids = Array.from({ length: 12 }, (_, n) => String.fromCharCode(97 + n)).join("");
        const { sent } = await run(
          ids,
          {
            batchSize: 1 + random(8),
            reportBatchItemFailures: random(2) === 0,
            bisectBatchOnFunctionError: random(2) === 0,
            maximumRetryAttempts: random(3),
            onFailureArn: QUEUE_ARN,
          },
          (records) => {
            if (random(5) === 0) {
              return Promise.reject(new Error("throttled"));
            }
            if (random(3) === 0) {
              return FAILED;
            }
            done.push(...records.map(({ dynamodb }) => dynamodb.SequenceNumber));
            return OK;
          },
        );

        const discarded = sent.map(({ DDBStreamBatchInfo }) =>
          Number(DDBStreamBatchInfo?.batchSize),
        );
        expect(done).to.deep.equal([...done].sort());
        expect(done.length + discarded.reduce((sum, n) => sum + n, 0)).to.equal(ids.length);
      }
    });
  });

  describe("between runs", () => {
    it("resumes after the last good record, also in the middle of a batch", () =>
      inFolder(async (folder) => {
        const before = openLog({ folder });
        const killed = create(
          { reportBatchItemFailures: true },
          (records) => failuresOf(records, "c"),
          before,
        );
        insert(before, "a", "b", "c", "d");
        killed.mapping.start();
        await once(killed.invoked, "invoke");
        await once(killed.invoked, "invoke");
        killed.mapping.close();
        before.close();

        const log = openLog({ folder });
        const { mapping, batches } = create({}, () => OK, log);
        mapping.start();
        await mapping.idle();
        log.close();

        expect(batches).to.deep.equal(["cd"]);
      }));
  });

  it("redelivers filtered records without moving the checkpoint", async () => {
    const pattern = JSON.stringify({ dynamodb: { Keys: { event_id: { S: ["a", "b"] } } } });
    const stream = openLog();
    const records = ["a", "b", "c"].map((id) => {
      insert(stream, id);
      return stream.entryAfter(stream.lastPosition - 1)?.record;
    });
    const { mapping, batches } = await run(
      "",
      { filters: { filters: [{ pattern }] } },
      () => OK,
      stream,
    );

    await mapping.replay(records.filter((record) => record !== undefined));
    insert(stream, "b");
    await mapping.idle();

    expect(batches).to.deep.equal(["ab", "ab", "b"]);
  });

  it("ends at once when closed: no retry, no invoke, and no wait for the one in flight", async () => {
    const { mapping, stream, batches, invoked } = create(
      {},
      () => new Promise<never>(() => undefined),
    );
    insert(stream, "a");
    mapping.start();
    await once(invoked, "invoke");
    const idle = mapping.idle().catch(String);

    mapping.close();
    insert(stream, "b");

    expect(await idle).to.contain('"process" is closed, and was not idle');
    expect(batches).to.deep.equal(["a"]);
  });

  it("refuses settings outside AWS's bounds, by name", () => {
    expect(() => create({ batchSize: 0 })).to.throw(/"process" has batchSize 0: .* 1 to 10000/);
    expect(() => create({ maximumBatchingWindowSeconds: 301 })).to.throw("0 to 300");
    expect(() => create({ maximumRecordAgeSeconds: 59 })).to.throw("60 to 604800");
    expect(() => create({ filters: { filters: [{ pattern: "{" }] } })).to.throw("is not JSON");
  });
});
