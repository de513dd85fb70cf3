import { createHash } from "node:crypto";
import { expect } from "chai";
import { EVENT_STATUSES } from "../../events/event";
import { eventPage, type EventsQuery, type Position } from "../../store/eventPages";
import type { EventStore } from "../../store/eventStore";
import { openIndexedRows } from "./indexedRows";

const START = Date.parse("2026-11-21T20:00:00.000Z");

/** The n-th millisecond of the tests. */
const time = (n: number) => new Date(START + n).toISOString();

/** Spread over the shards like UUIDs, and the same in every run. */
const id = (n: number) => createHash("sha256").update(String(n)).digest("hex").slice(0, 32);

describe("The rows that eventPage reads", () => {
  const indexed = openIndexedRows();

  beforeEach(() => {
    indexed.reset();
  });

  after(() => indexed.close());

  async function costOf(store: EventStore, query: EventsQuery, after?: Position) {
    indexed.reset();
    const { rows: found } = await eventPage(store, query, 100, after);
    expect(found).to.have.lengthOf(100);
    return indexed.cost;
  }

  it("are the page's only, for any size of the table", async () => {
    const store = await indexed.newStore();
    const rows = Array.from({ length: 10_000 }, (_, n) => ({
      event_id: id(n),
      event_timestamp: time(n),
      event_status: EVENT_STATUSES[n % EVENT_STATUSES.length] ?? "failed",
    }));
    await indexed.put(store, rows);
    const middle = rows[5000];

    expect(await costOf(store, { status: "failed", order: "desc" })).to.deep.equal({
      queries: 1,
      rowsRead: 101,
    });
    expect(await costOf(store, { status: "failed", order: "asc" }, middle)).to.deep.equal({
      queries: 1,
      rowsRead: 102,
    });
    expect(await costOf(store, { order: "desc" })).to.deep.equal({ queries: 6, rowsRead: 606 });
    expect(await costOf(store, { order: "desc", from: time(100) }, middle)).to.deep.equal({
      queries: 6,
      rowsRead: 612,
    });
  });

  it("are less than two pages for a status in eight shards", async () => {
    const store = await indexed.newStore(8);
    const rows = Array.from({ length: 1000 }, (_, n) => ({
      event_id: id(n),
      event_timestamp: time(n),
      event_status: "failed" as const,
    }));
    await indexed.put(store, rows);
    let next: Position | undefined;
    let pages = 0;
    let cost = { queries: 0, rowsRead: 0 };

    do {
      const page = await eventPage(store, { status: "failed", order: "asc" }, 100, next);
      next = page.next;
      pages += 1;
      cost = indexed.cost;
    } while (next);

    expect(pages).to.equal(10);
    expect(cost.rowsRead / pages).to.be.lessThan(200);
    expect(cost.queries / pages).to.be.within(8, 9);
  });

  it("are a few more for a shard that has more rows than expected", async () => {
    const store = await indexed.newStore(8);
    // All ids that end in 0 are in the same shard.
    const rows = Array.from({ length: 300 }, (_, n) => ({
      event_id: `${id(n).slice(1)}${n < 100 ? 0 : 1 + (n % 7)}`,
      event_timestamp: time(n),
      event_status: "failed" as const,
    }));
    await indexed.put(store, rows);

    const { rows: found } = await eventPage(store, { status: "failed", order: "asc" }, 100);

    expect(found.map(({ position }) => position.event_id)).to.deep.equal(
      rows.slice(0, 100).map(({ event_id }) => event_id),
    );
    expect(indexed.cost.rowsRead).to.be.lessThan(300);
    expect(indexed.cost.queries).to.be.lessThan(20);
  });

  it("are all those of the same time, in few requests", async () => {
    const store = await indexed.newStore();
    const rows = Array.from({ length: 1000 }, (_, n) => ({
      event_id: id(n),
      event_timestamp: time(0),
      event_status: "failed" as const,
    }));
    await indexed.put(store, rows);

    const { rows: found } = await eventPage(store, { status: "failed", order: "asc" }, 2);

    const ids = rows.map(({ event_id }) => event_id).sort();
    expect(found.map(({ position }) => position.event_id)).to.deep.equal(ids.slice(0, 2));
    expect(indexed.cost.queries).to.be.at.most(11);
  });

  it("are none for a range that ends before it begins", async () => {
    const store = await indexed.newStore();

    const page = await eventPage(store, { order: "asc", from: time(2), to: time(2) }, 5);

    expect(page).to.deep.equal({ rows: [] });
    expect(indexed.cost.queries).to.equal(0);
  });
});
