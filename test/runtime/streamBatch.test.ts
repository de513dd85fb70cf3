import { expect } from "chai";
import type { Item } from "../../events/item";
import { batchResponse, deliveriesOf, type Delivery } from "../../runtime/streamBatch";
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
