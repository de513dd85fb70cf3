import { expect } from "chai";
import fc from "fast-check";
import { EVENT_STATUSES, type EventStatus } from "../../events/event";
import {
  type EventPage,
  eventPage,
  type EventRow,
  type EventsQuery,
  type Position,
} from "../../store/eventPages";
import type { EventStore } from "../../store/eventStore";
import { type IndexedRow, openIndexedRows } from "./indexedRows";

const START = Date.parse("2026-11-21T20:00:00.000Z");

/** The n-th millisecond of the tests. */
const time = (n: number) => new Date(START + n).toISOString();

/** Ids in a different order than their numbers. */
const id = (n: number) => `${(n * 7919) % 10_007}-${n}`;

const nameOf = ({ event_timestamp, event_id }: Position) => `${event_timestamp} ${event_id}`;

const namesOf = (rows: EventRow[]) => rows.map(({ position }) => nameOf(position));

async function walk(store: EventStore, query: EventsQuery, limit: number): Promise<EventPage[]> {
  const pages: EventPage[] = [];
  let next: Position | undefined;
  do {
    const page = await eventPage(store, query, limit, next);
    pages.push(page);
    next = page.next;
  } while (next);
  return pages;
}

describe("eventPage", () => {
  const indexed = openIndexedRows();

  beforeEach(() => {
    indexed.reset();
  });

  after(() => indexed.close());

  const orders = fc.constantFrom("asc" as const, "desc" as const);
  const statuses = fc.constantFrom(...EVENT_STATUSES);
  const shards = fc.constantFrom(1, 8);
  const times = fc.nat({ max: 4 }).map(time);
  const rowsOf = (maxLength: number) =>
    fc
      .array(fc.record({ event_timestamp: times, event_status: statuses }), {
        maxLength,
        size: "max",
      })
      .map((rows) => rows.map((row, n) => ({ ...row, event_id: id(n) })));

  it("returns what follows in order of time, while rows move and are added between pages", () =>
    fc.assert(
      fc.asyncProperty(
        shards,
        rowsOf(24),
        fc.array(fc.array(fc.tuple(fc.nat({ max: 30 }), statuses, times), { maxLength: 4 })),
        fc.record(
          { status: statuses, from: times, to: times, order: orders },
          { requiredKeys: ["order"] },
        ),
        fc.integer({ min: 1, max: 7 }),
        async (statusShards, initial, changes, query, limit) => {
          const store = await indexed.newStore(statusShards);
          const rows = initial.map((row) => ({ ...row }));
          const moved = new Set<string>();
          await indexed.put(store, rows);
          const change = async (index: number, event_status: EventStatus, at: string) => {
            const row = rows[index] ?? { event_id: id(rows.length), event_timestamp: at };
            rows[index in rows ? index : rows.length] = { ...row, event_status };
            moved.add(nameOf(row));
            await indexed.put(store, [{ ...row, event_status }]);
          };
          const asked = (row: IndexedRow) =>
            (query.status ?? row.event_status) === row.event_status &&
            (query.from ?? "") <= row.event_timestamp &&
            row.event_timestamp < (query.to ?? "~");
          const namesInOrder = (of: IndexedRow[]) => {
            const names = of.filter(asked).map(nameOf).sort();
            return query.order === "asc" ? names : names.reverse();
          };
          const isAfter = (name: string, place: string) =>
            query.order === "asc" ? name > place : name < place;

          const seen: string[] = [];
          let next: Position | undefined;
          do {
            const place = next && nameOf(next);
            const left = namesInOrder(rows).filter((name) => !place || isAfter(name, place));
            const page = await eventPage(store, query, limit, next);
            expect(namesOf(page.rows)).to.deep.equal(left.slice(0, limit));
            expect(page.next && nameOf(page.next)).to.equal(
              left.length > limit ? left[limit - 1] : undefined,
            );
            seen.push(...namesOf(page.rows));
            for (const [index, status, at] of changes.shift() ?? []) {
              await change(index, status, at);
            }
            next = page.next;
          } while (next);

          expect(new Set(seen).size).to.equal(seen.length);
          const stayed = initial.filter((row) => !query.status || !moved.has(nameOf(row)));
          expect(seen).to.include.members(namesInOrder(stayed));
        },
      ),
      { numRuns: 50 },
    ));

  it("loses no row that advances or is retried while a page is read", () =>
    fc.assert(
      fc.asyncProperty(
        shards,
        rowsOf(12),
        fc.array(fc.array(fc.nat({ max: 11 })), { maxLength: 40, size: "max" }),
        orders,
        fc.integer({ min: 1, max: 7 }),
        async (statusShards, initial, moves, order, limit) => {
          const store = await indexed.newStore(statusShards);
          const rows = initial.map((row) => ({ ...row }));
          await indexed.put(store, rows);
          const moved = new Set<IndexedRow>();
          const ways: Record<EventStatus, EventStatus | undefined> = {
            created: "processed",
            uploaded: "failed",
            processed: "notified",
            notified: undefined,
            failed: "created",
          };
          const move = async (row: IndexedRow | undefined) => {
            const to = row && ways[row.event_status];
            // A new failure is not retried at once.
            if (row && to && !(row.event_status === "failed" && moved.has(row))) {
              row.event_status = to;
              moved.add(row);
              await indexed.put(store, [row]);
            }
          };
          indexed.beforeRequest = async () => {
            for (const index of moves.shift() ?? []) {
              await move(rows[index]);
            }
          };

          const pages = await walk(store, { order }, limit);

          const names = initial.map(nameOf).sort();
          const seen = pages.flatMap((page) => namesOf(page.rows));
          expect(seen).to.deep.equal(order === "asc" ? names : names.reverse());
        },
      ),
      { numRuns: 30 },
    ));

  for (const [order, statusShards] of [
    ["asc", 1],
    ["desc", 1],
    ["asc", 3],
  ] as const) {
    it(`fills a page of more rows than one DynamoDB answer (${order}, shards: ${statusShards})`, async () => {
      const store = await indexed.newStore(statusShards);
      const rows = Array.from({ length: 14 }, (_, n) => ({
        event_id: id(n),
        event_timestamp: time(Math.floor(n / 3)),
        event_status: "failed" as const,
      }));
      await indexed.put(store, rows, { event_info: { S: "x".repeat(300_000) } });

      const pages = await walk(store, { status: "failed", order }, 6);

      const names = rows.map(nameOf).sort();
      const seen = pages.map((page) => namesOf(page.rows));
      expect(seen.map((page) => page.length)).to.deep.equal([6, 6, 2]);
      expect(seen.flat()).to.deep.equal(order === "asc" ? names : names.reverse());
    });
  }

  it("returns the events of a link, all or those of a status, in order of time", () =>
    fc.assert(
      fc.asyncProperty(
        shards,
        fc.tuple(rowsOf(12), rowsOf(12), rowsOf(6)),
        fc.record(
          { status: statuses, from: times, to: times, order: orders },
          { requiredKeys: ["order"] },
        ),
        fc.integer({ min: 1, max: 7 }),
        async (statusShards, [ours, theirs, without], query, limit) => {
          const store = await indexed.newStore(statusShards);
          const renamed = (rows: IndexedRow[], by: string) =>
            rows.map((row) => ({ ...row, event_id: `${row.event_id}-${by}` }));
          await indexed.put(store, ours, { link_id: { S: "a-link" } });
          await indexed.put(store, renamed(theirs, "theirs"), { link_id: { S: "b-link" } });
          await indexed.put(store, renamed(without, "without"));

          const pages = await walk(store, { ...query, linkId: "a-link" }, limit);

          const names = ours
            .filter(
              ({ event_status, event_timestamp }) =>
                (query.status ?? event_status) === event_status &&
                (query.from ?? "") <= event_timestamp &&
                event_timestamp < (query.to ?? "~"),
            )
            .map(nameOf)
            .sort();
          const seen = pages.flatMap((page) => namesOf(page.rows));
          expect(seen).to.deep.equal(query.order === "asc" ? names : names.reverse());
          expect(pages.slice(0, -1).every((page) => page.rows.length === limit)).to.equal(true);
        },
      ),
      { numRuns: 40 },
    ));

  it("finds the few events of a status among many of a link by few queries", async () => {
    const store = await indexed.newStore();
    const rows = Array.from({ length: 400 }, (_, n) => ({
      event_id: id(n),
      event_timestamp: time(n),
      event_status: n % 100 === 0 ? ("failed" as const) : ("notified" as const),
    }));
    await indexed.put(store, rows, { link_id: { S: "a-link" } });
    indexed.reset();

    const query = { status: "failed", linkId: "a-link", order: "asc" } as const;
    const page = await eventPage(store, query, 5);

    expect(page.rows).to.have.length(4);
    expect(page.next).to.equal(undefined);
    expect(indexed.cost.queries).to.equal(1);
  });

  it("returns an invalid row with its error", async () => {
    const store = await indexed.newStore();
    const row = { event_id: "?", event_timestamp: "yesterday", event_status: "failed" as const };
    await indexed.put(store, [row], { event_info: { N: "1" } });

    const { rows } = await eventPage(store, { order: "desc" }, 1);

    expect(rows).to.have.lengthOf(1);
    expect(rows[0]).to.deep.include({
      position: { event_id: "?", event_timestamp: "yesterday" },
      event: undefined,
    });
    expect(rows[0]?.error).to.have.property("name", "InvalidEvent");
  });

  it("returns the rows of a table that had fewer shards before", async () => {
    const before = await indexed.newStore(2);
    const rows = Array.from({ length: 12 }, (_, n) => ({
      event_id: `0000000${n.toString(16)}`,
      event_timestamp: time(n),
      event_status: "failed" as const,
    }));
    await indexed.put(before, rows.slice(0, 6));
    const store = { ...before, statusShards: 8 };
    await indexed.put(store, rows.slice(6));

    const pages = await walk(store, { status: "failed", order: "asc" }, 4);

    expect(pages.flatMap((page) => namesOf(page.rows))).to.deep.equal(rows.map(nameOf));
  });
});
