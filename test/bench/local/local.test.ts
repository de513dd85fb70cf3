import { expect } from "chai";
import { createDynamoDb } from "local-aws";
import { measureBurst, measureSingles } from "../../../bench/local/local";
import { localPart } from "../../../bench/local/tables";
import { putRows } from "../../../bench/rows";
import { fromItem, type Item } from "../../../events/item";

const QUANTILES = { p50: 10, p95: 20, p99: 30 };

describe("The bench of the local run", () => {
  it("measures single uploads until their mails", async () => {
    const { firstMs, mailMs } = await measureSingles(2);

    expect(firstMs).to.be.greaterThan(0);
    expect(mailMs.p50).to.be.within(0, mailMs.p99);
  });

  it("measures a burst until its last row is notified, with existing rows", async () => {
    const burst = await measureBurst({ uploads: 3, clients: 2, rows: 60 });

    expect(burst.answeredMs).to.be.within(0, burst.notifiedMs);
    expect(burst.mails).to.be.within(1, 3);
    expect(burst.peakMb).to.be.greaterThan(10);
  });

  it("puts the number of rows, each a finished event", async () => {
    const engine = createDynamoDb({ region: "us-east-1", accountId: "123456789012" });
    await engine.createTable({
      tableName: "events",
      hashKey: "event_id",
      attributes: [{ name: "event_id", type: "S" }],
      globalSecondaryIndexes: [],
    });

    await putRows(engine, "events", 130);

    const { body } = await engine.handle({
      method: "POST",
      url: "/",
      headers: { "x-amz-target": "DynamoDB_20120810.Scan" },
      body: Buffer.from(JSON.stringify({ TableName: "events" })),
    });
    const { Items: items } = JSON.parse(body.toString()) as { Items: Item[] };
    await engine.close();
    const statuses = items.map((item) => fromItem(item).event_status);
    expect(statuses).to.deep.equal(Array.from({ length: 130 }, () => "notified"));
  });

  it("shows uploads a second until the last one is notified", () => {
    const { sections } = localPart({
      start: { coldMs: 3000, warmMs: 2000 },
      singles: { firstMs: 500, uploads: 9, mailMs: QUANTILES },
      bursts: [
        {
          uploads: 300,
          clients: 8,
          rows: 0,
          answeredMs: 2500,
          notifiedMs: 3000,
          answerMs: QUANTILES,
          mails: 4,
          peakMb: 450,
        },
      ],
    });

    expect(sections[2]?.rows).to.deep.equal([[300, 8, 0, 2.5, 3, 100, 10, 10, 20, 30, 4, 450]]);
  });
});
