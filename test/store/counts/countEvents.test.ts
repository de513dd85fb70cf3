import { expect } from "chai";
import fc from "fast-check";
import type { FileEvent } from "../../../events/event";
import { countEvents } from "../../../store/counts/countEvents";
import { countHours } from "../../../store/counts/countHours";
import { reopenPeriod } from "../../../store/counts/marks";
import { deleteEvent } from "../../../store/rows";
import { retryFailed } from "../../../store/transitions";
import { type CountedEvents, openCountedEvents } from "./countedEvents";

const DAY = 24 * 60 * 60;

/** A change of the events; `pick` selects one of those that it applies to. */
type Step =
  | { kind: "put"; age: number; status: FileEvent["event_status"] }
  | { kind: "advance" | "fail" | "retry" | "delete"; pick: number }
  | { kind: "pass"; seconds: number }
  | { kind: "seal" };

const step = (): fc.Arbitrary<Step> =>
  fc.oneof(
    fc.record({
      kind: fc.constant("put" as const),
      age: fc.constantFrom(0, 30, 59, 61, 600, 650, 3000, DAY, DAY + 500, 4 * DAY),
      status: fc.constantFrom("created", "uploaded", "processed", "notified", "failed"),
    }),
    fc.record({
      kind: fc.constantFrom("advance", "fail", "retry", "delete"),
      pick: fc.nat(),
    }),
    fc.record({ kind: fc.constant("pass" as const), seconds: fc.constantFrom(10, 61, 181, 900) }),
    fc.constant({ kind: "seal" as const }),
    // Twice, so that many periods are sealed.
    fc.constant({ kind: "seal" as const }),
  );

async function take(events: CountedEvents, next: Step): Promise<void> {
  const pickOf = async (pick: number, statuses: FileEvent["event_status"][]) => {
    const rows = await events.rows();
    const fitting = rows
      .filter(({ event_status }) => statuses.includes(event_status))
      .sort((a, b) => a.event_timestamp.localeCompare(b.event_timestamp));
    return fitting.slice(pick % Math.max(1, fitting.length))[0];
  };
  switch (next.kind) {
    case "put":
      await events.put(next.age, next.status);
      break;
    case "pass":
      events.pass(next.seconds);
      break;
    case "seal":
      events.pass(100);
      await events.seal();
      break;
    case "advance": {
      const event = await pickOf(next.pick, ["created", "uploaded", "processed"]);
      if (event) {
        const isLast = event.event_status === "processed";
        await events.advance(event, isLast ? "notified" : "processed");
      }
      break;
    }
    case "fail": {
      const event = await pickOf(next.pick, ["uploaded"]);
      if (event) {
        await events.advance(event, "failed");
      }
      break;
    }
    case "retry": {
      const event = await pickOf(next.pick, ["failed"]);
      if (event) {
        await retryFailed(events.store, event, "uploaded");
      }
      break;
    }
    case "delete": {
      const event = await pickOf(next.pick, ["notified", "failed"]);
      if (event) {
        await deleteEvent(events.store, event);
      }
    }
  }
}

/** The result of `countHours`, by a scan of the table. */
async function scannedHours(events: CountedEvents, hours: number) {
  const times = (await events.rows()).map((row) => row.event_timestamp.slice(0, 13));
  return Array.from({ length: hours }, (_, index) => {
    const begin = new Date(Date.now() - (hours - 1 - index) * 3_600_000);
    begin.setUTCMinutes(0, 0, 0);
    const from = begin.toISOString();
    return { from, count: times.filter((time) => from.startsWith(time)).length };
  });
}

describe("countEvents", () => {
  let events: CountedEvents;

  beforeEach(async () => {
    events = await openCountedEvents();
  });

  afterEach(() => events.close());

  it("returns zeros for an empty table, sealed or not", async () => {
    const zeros = { created: 0, uploaded: 0, processed: 0, notified: 0, failed: 0 };

    expect(await countEvents(events.store)).to.deep.equal({
      counts: zeros,
      oldestUnfinished: null,
    });

    await events.settle();
    expect(await events.counted()).to.deep.equal(zeros);
  });

  it("counts a table without sealed periods", async () => {
    await events.put(0, "created");
    await events.put(DAY, "notified");
    await events.put(2 * DAY, "notified");
    await events.put(365 * DAY, "failed");

    expect(await events.counted()).to.deep.equal({
      created: 1,
      uploaded: 0,
      processed: 0,
      notified: 2,
      failed: 1,
    });
  });

  it("names the oldest unfinished event", async () => {
    await events.put(5000, "failed");
    await events.put(10, "created");
    const oldest = await events.put(4000, "processed");
    await events.put(3000, "uploaded");
    await events.settle();

    expect((await countEvents(events.store)).oldestUnfinished).to.deep.equal({
      event_id: oldest.event_id,
      event_timestamp: oldest.event_timestamp,
      event_status: "processed",
    });
  });

  it("counts an event whose timestamp is ahead of the clock", async () => {
    await events.settle();
    await events.put(-30, "notified");

    expect(await events.counted()).to.include({ notified: 1 });
  });

  it("names the oldest unfinished event, in any shard", async () => {
    const sharded = await openCountedEvents(8);
    const ages = Array.from({ length: 24 }, (_, n) => 1000 - n);
    const [oldest] = await Promise.all(ages.map((age) => sharded.put(age, "processed")));

    const { oldestUnfinished, counts } = await countEvents(sharded.store);
    await sharded.close();

    expect(oldestUnfinished).to.include({ event_id: oldest?.event_id });
    expect(counts).to.include({ processed: 24 });
  });

  it("counts more rows than fit a page of the index", async () => {
    const ages = Array.from({ length: 60 }, (_, index) => (index < 50 ? index * 7 : DAY));
    const keys = await Promise.all(ages.map((age) => events.put(age, "failed")));
    await events.fatten(keys, "x".repeat(120_000));
    let longest = 0;
    let running = 0;
    events.before = ({ input }) => {
      running += input.Select === "COUNT" ? 1 : 0;
      longest = Math.max(longest, running);
    };
    events.after = ({ input }) => {
      running -= input.Select === "COUNT" ? 1 : 0;
    };

    expect(await events.counted()).to.include({ failed: 60 });

    // Its parts are counted at the same time.
    expect(longest).to.be.at.least(8);
  });

  const shards = fc.constantFrom(1, 8);

  it("equals a scan after any history", async function () {
    await fc.assert(
      fc.asyncProperty(shards, fc.array(step(), { maxLength: 30 }), async (statusShards, steps) => {
        const fresh = await openCountedEvents(statusShards);
        try {
          for (const next of steps) {
            await take(fresh, next);
            expect(await fresh.counted()).to.deep.equal(await fresh.scanned());
          }
          expect(await countHours(fresh.store, 2)).to.deep.equal(await scannedHours(fresh, 2));
          await fresh.settle();
          expect(await fresh.counted()).to.deep.equal(await fresh.scanned());
          expect(await countHours(fresh.store, 30)).to.deep.equal(await scannedHours(fresh, 30));
        } finally {
          await fresh.close();
        }
      }),
      { numRuns: 15 },
    );
  });

  describe("of sealed periods", () => {
    it("reads no old event for the counts by hour, but those of a marked period", async () => {
      for (const age of [3600, 3600, 4300, 7200, 20 * 3600]) {
        await events.put(age, "notified");
      }
      await events.settle();
      const read: number[] = [];
      events.after = ({ input }, answer) => {
        if (input.TableName === "events") {
          read.push((answer as { ScannedCount: number }).ScannedCount);
        }
      };
      const sum = () => read.splice(0).reduce((total, count) => total + count, 0);

      const counted = await countHours(events.store, 30);
      expect(sum()).to.equal(0);
      const late = await events.put(3600, "notified");
      read.splice(0);
      const again = await countHours(events.store, 30);

      expect(sum()).to.be.within(1, 4);
      const hour = `${late.event_timestamp.slice(0, 13)}:00:00.000Z`;
      expect(again).to.deep.equal(
        counted.map(({ from, count }) => ({ from, count: count + (from === hour ? 1 : 0) })),
      );
      expect(again).to.deep.equal(await scannedHours(events, 30));
    });

    it("reads no old event", async () => {
      for (const age of [3600, 3600, 7200, DAY, 2 * DAY, 30 * DAY]) {
        await events.put(age, "notified");
      }
      await events.settle();
      const read: number[] = [];
      events.after = ({ input }, answer) => {
        if (input.TableName === "events") {
          read.push((answer as { ScannedCount: number }).ScannedCount);
        }
      };

      expect(await events.counted()).to.include({ notified: 6 });

      expect(read.reduce((sum, count) => sum + count, 0)).to.equal(0);
      expect(read.length).to.be.lessThan(10);
    });

    for (const seconds of [3600, 3 * DAY]) {
      it(`counts a late event, ${seconds} seconds old, at once and permanently`, async () => {
        await events.put(seconds, "notified");
        await events.settle();

        await events.put(seconds, "notified");

        expect(await events.counted()).to.include({ notified: 2 });
        await events.settle();
        expect(await events.counted()).to.include({ notified: 2 });
      });

      it(`counts after a deletion and a retry, ${seconds} seconds back`, async () => {
        const gone = await events.put(seconds, "notified");
        const retried = await events.put(seconds + 5, "failed");
        await events.put(seconds + 700, "notified");
        await events.settle();

        await deleteEvent(events.store, gone);
        await retryFailed(events.store, retried, "uploaded");

        expect(await events.counted()).to.include({ uploaded: 1, notified: 1, failed: 0 });
        await events.settle();
        expect(await events.counted()).to.include({ uploaded: 1, notified: 1, failed: 0 });
        await events.advance(retried, "processed", "notified");
        expect(await events.counted()).to.include({ uploaded: 0, notified: 2, failed: 0 });
        await events.settle();
        expect(await events.counted()).to.include({ uploaded: 0, notified: 2, failed: 0 });
      });
    }

    it("waits for a write up to two minutes after its mark", async () => {
      const event = await events.put(DAY, "failed");
      await events.settle();

      await reopenPeriod(events.store, event);
      await events.seal();
      events.pass(119);
      await events.seal();
      await events.removeRow(event);
      await events.settle();

      expect(await events.counted()).to.include({ failed: 0 });
    });
  });
});
