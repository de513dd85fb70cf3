import { expect } from "chai";
import fc from "fast-check";
import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import { EVENT_STATUSES } from "../../events/event";
import { newItem } from "../../events/item";
import { partitionKey, partitionsOf, statusAttributes } from "../../events/partitions";
import { newEvents } from "./arbitraries";

const statuses = fc.constantFrom(...EVENT_STATUSES);
const shards = fc.integer({ min: 2, max: 64 });

describe("The partitions of the index", () => {
  it("are the statuses themselves for one shard, without an attribute in rows", () => {
    fc.assert(
      fc.property(fc.uuid(), statuses, newEvents, (id, status, event) => {
        expect(partitionsOf(status, 1)).to.deep.equal([status]);
        expect(statusAttributes(id, status, 1)).to.deep.equal({ event_status: { S: status } });
        expect(newItem(event, 1)).to.deep.equal(newItem(event));
        expect(newItem(event)).to.not.have.property("status_shard");
      }),
    );
    expect(partitionKey(1)).to.equal("event_status");
  });

  it("are numbered by the last 8 digits of the id, in the row's attribute", () => {
    const id = "019a0000-abcd-7abc-8abc-abcdff000013";

    const attributes = statusAttributes(id, "failed", 8);

    expect(partitionKey(8)).to.equal("status_shard");
    expect(attributes).to.deep.equal({
      event_status: { S: "failed" },
      status_shard: { S: "failed#3" },
    });
    expect(partitionsOf("failed", 3)).to.deep.equal(["failed#0", "failed#1", "failed#2"]);
  });

  it("hold every row in the same shard of each status, even with an id that is not a UUID", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uuid(), fc.string()), statuses, shards, (id, status, count) => {
        const { status_shard: partition } = statusAttributes(id, status, count);
        const { status_shard: failed } = statusAttributes(id, "failed", count);
        expect(partitionsOf(status, count)).to.have.length(count).and.include(partition?.S);
        expect(partition?.S.split("#")[1]).to.equal(failed?.S.split("#")[1]);
      }),
      { examples: [["-1", "created", 2]] },
    );
  });

  for (const [version, newId] of Object.entries({
    7: () => uuidv7(),
    5: (n: number) => uuidv5(`file ${n}`, uuidv5.URL),
  })) {
    it(`have about the same number of rows each, for UUIDs of version ${version}`, () => {
      const counts = new Map(partitionsOf("notified", 8).map((partition) => [partition, 0]));
      for (let n = 0; n < 8000; n += 1) {
        const { status_shard: partition } = statusAttributes(newId(n), "notified", 8);
        counts.set(partition?.S ?? "", (counts.get(partition?.S ?? "") ?? 0) + 1);
      }
      expect(counts.size).to.equal(8);
      for (const count of counts.values()) {
        // Ten standard deviations.
        expect(count).to.be.within(700, 1300);
      }
    });
  }
});
