import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import fc from "fast-check";
import type { Item } from "../../events/item";
import {
  batchResponse,
  deliveriesOf,
  type Delivery,
  forEachConcurrently,
} from "../../runtime/streamBatch";
import { itemOf, processedEvent } from "../../testing/events";
import { streamRecord } from "../../testing/records";
import { errorsLogged } from "./loggedErrors";

describe("deliveriesOf", () => {
  it("gives each event with its record's sequence number", () => {
    const event = processedEvent();
    const record = streamRecord(itemOf(event));

    expect(deliveriesOf({ Records: [record] })).to.deep.equal([
      { event, sequenceNumber: record.dynamodb.SequenceNumber },
    ]);
  });

  it("passes over a record without a new image: the row is gone", async () => {
    const record = streamRecord(itemOf(processedEvent()));
    let deliveries: Delivery[] = [];

    const errors = await errorsLogged(() => {
      deliveries = deliveriesOf({ Records: [streamRecord(undefined), record] });
    });

    expect(deliveries.map(({ sequenceNumber }) => sequenceNumber)).to.deep.equal([
      record.dynamodb.SequenceNumber,
    ]);
    expect(errors).to.deep.equal([]);
  });

  it("leaves broken rows behind, naming them in the log, and keeps their neighbours", async () => {
    const good = itemOf(processedEvent());
    const rows: Item[] = [
      { ...good, event_id: { S: "no-json" }, event_info: { S: "{" } },
      { ...good, event_id: { S: "no-object" }, event_info: { S: "null" } },
      { event_id: { S: "no-attributes" } },
      {},
    ];
    const broken = rows.map((row) => streamRecord(row));
    const around = [streamRecord(good), streamRecord(good)];
    let deliveries: Delivery[] = [];

    const errors = await errorsLogged(() => {
      const [first, last] = around;
      deliveries = deliveriesOf({ Records: [first, ...broken, last].filter((item) => !!item) });
    });

    expect(deliveries.map(({ sequenceNumber }) => sequenceNumber)).to.deep.equal(
      around.map(({ dynamodb }) => dynamodb.SequenceNumber),
    );
    expect(errors).to.have.lengthOf(broken.length);
    expect(errors[0]).to.deep.include({
      event_id: "no-json",
      sequence_number: broken[0]?.dynamodb.SequenceNumber,
    });
    expect(errors[2]).to.have.nested.property("error.code", "InvalidEvent");
  });
});

describe("batchResponse", () => {
  it("names exactly the deliveries that are to come again", () => {
    const records = [1, 2].map(() => streamRecord(itemOf(processedEvent())));
    expect(batchResponse(deliveriesOf({ Records: records }))).to.deep.equal({
      batchItemFailures: records.map(({ dynamodb }) => ({
        itemIdentifier: dynamodb.SequenceNumber,
      })),
    });
  });

  it("says that all went well for none", () => {
    expect(batchResponse([])).to.deep.equal({ batchItemFailures: [] });
  });
});

describe("forEachConcurrently", () => {
  it("does every item once, never more than the limit at a time, and as many as that", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 30 }), fc.integer({ min: 1, max: 8 }), async (n, limit) => {
        const items = Array.from({ length: n }, (_, index) => index);
        const done: number[] = [];
        let running = 0;
        let most = 0;

        const failures = await forEachConcurrently(items, limit, async (item) => {
          running += 1;
          most = Math.max(most, running);
          await setImmediate();
          running -= 1;
          done.push(item);
        });

        expect(failures).to.deep.equal([]);
        expect(done.sort((one, other) => one - other)).to.deep.equal(items);
        expect(most).to.equal(Math.min(n, limit));
        expect(running).to.equal(0);
      }),
      { numRuns: 40 },
    );
  });

  it("goes on after a failure, and gives the failures in the order of the items", async () => {
    const done: string[] = [];
    const slowFirst: Record<string, number> = { a: 5, b: 1, c: 3, d: 1 };

    const failures = await forEachConcurrently(["a", "b", "c", "d"], 3, async (item) => {
      for (let turn = 0; turn < (slowFirst[item] ?? 0); turn += 1) {
        await setImmediate();
      }
      done.push(item);
      if (item !== "b") {
        throw new Error(item);
      }
    });

    expect(done).to.deep.equal(["b", "d", "c", "a"]);
    expect(failures.map(({ item, error }) => [item, (error as Error).message])).to.deep.equal([
      ["a", "a"],
      ["c", "c"],
      ["d", "d"],
    ]);
  });

  it("counts what is thrown before anything is awaited as that item's failure alone", async () => {
    const failures = await forEachConcurrently([1, 2, 3], 1, (item) => {
      if (item === 2) {
        throw new Error("at once");
      }
      return Promise.resolve();
    });
    expect(failures.map(({ item }) => item)).to.deep.equal([2]);
  });

  it("keeps apart failures whose reason is undefined", async () => {
    const failures = await forEachConcurrently([1], 1, () =>
      // Whatever code of others throws is a failure.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      Promise.reject(undefined),
    );
    expect(failures).to.deep.equal([{ item: 1, error: undefined }]);
  });
});
