import { expect } from "chai";
import type { Item } from "../../events/item";
import {
  batchResponse,
  deliveriesOf,
  type Delivery,
  workOff,
  type WorkOptions,
} from "../../runtime/streamBatch";
import { itemOf, processedEvent } from "../../testing/events";
import { streamRecord } from "../../testing/records";
import { errorsLogged } from "./loggedErrors";

describe("deliveriesOf", () => {
  it("returns each event with its record's sequence number", () => {
    const event = processedEvent();
    const record = streamRecord(itemOf(event));

    expect(deliveriesOf({ Records: [record] })).to.deep.equal([
      { event, sequenceNumber: record.dynamodb.SequenceNumber },
    ]);
  });

  it("skips a record without a new image: the row was deleted", async () => {
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

  it("skips and logs invalid rows, and returns the others", async () => {
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
  it("names exactly the records to redeliver", () => {
    const records = [1, 2].map(() => streamRecord(itemOf(processedEvent())));
    expect(batchResponse(deliveriesOf({ Records: records }))).to.deep.equal({
      batchItemFailures: records.map(({ dynamodb }) => ({
        itemIdentifier: dynamodb.SequenceNumber,
      })),
    });
  });

  it("is empty for no failures", () => {
    expect(batchResponse([])).to.deep.equal({ batchItemFailures: [] });
  });
});

describe("workOff", () => {
  const options: WorkOptions = {
    limit: 2,
    what: "Row not written",
    retries: { hasTime: () => true },
  };

  function deliveries(count: number): Delivery[] {
    return deliveriesOf({
      Records: Array.from({ length: count }, () => streamRecord(itemOf(processedEvent()))),
    });
  }

  /** The deliveries to redeliver, and the errors logged, when these fail. */
  async function outcome(all: Delivery[], failing: Delivery[], changes: Partial<WorkOptions>) {
    let redelivered: Delivery[] = [];
    const errors = await errorsLogged(async () => {
      redelivered = await workOff(all, { ...options, ...changes }, (delivery) =>
        failing.includes(delivery) ? Promise.reject(new Error("no")) : Promise.resolve(true),
      );
    });
    return { redelivered, errors };
  }

  it("leaves those that fail to the sweeper where others succeed", async () => {
    const all = deliveries(4);
    const failing = all.slice(1, 3);

    const { redelivered, errors } = await outcome(all, failing, {});

    expect(redelivered).to.deep.equal([]);
    expect(errors).to.have.lengthOf(2);
    expect(errors[0]).to.deep.include({
      message: "Row not written; the events are left to the sweeper.",
      event_ids: [failing[0]?.event.event_id],
    });
  });

  it("redelivers all where none succeeds, and where it must not leave any", async () => {
    const all = deliveries(3);
    const [first] = all;

    const outage = await outcome(all, all, {});
    const strict = await outcome(all, all.slice(0, 1), { redeliversAll: true });

    expect(outage.redelivered).to.deep.equal(all);
    expect(strict.redelivered).to.deep.equal([first]);
  });

  it("redelivers what it has no time to begin", async () => {
    const all = deliveries(5);
    let left = 3;
    const retries = { hasTime: () => (left -= 1) >= 0 };

    const { redelivered } = await outcome(all, all.slice(0, 1), { retries });

    expect(redelivered).to.deep.equal(all.slice(3));
  });
});
