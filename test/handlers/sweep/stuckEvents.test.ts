import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import type { EventKey, FileEvent } from "../../../events/event";
import type { Item } from "../../../events/item";
import { sweepStuckEvents } from "../../../handlers/sweep/stuckEvents";
import { noCounts, type SweepCounts } from "../../../handlers/sweep/sweepRun";
import { forEachOrThrow } from "../../../runtime/concurrency";
import type { Position } from "../../../store/redelivery/decision";
import { advanceEvent } from "../../../store/transitions";
import { failedEvent, itemOf, processedEvent } from "../../../testing/events";
import { type CountedEvents, openCountedEvents } from "../../store/counts/countedEvents";

const STUCK_SECONDS = 900;
const MAX_ATTEMPTS = 5;

/** Seconds from one run of the sweeper to the next. */
const SWEEP_SECONDS = 300;

/** Longer than the spread of delays. */
const LONGER = 1.11;

const NOTHING_KNOWN: Position = { passed: "", reached: "", isActive: false };

describe("sweepStuckEvents", () => {
  // Each redelivery is logged.
  const { info, error } = console;
  let events: CountedEvents;
  let mails: { subject: string; message: string }[];
  /** Of both Lambdas. */
  let position: () => Position;
  let hasTime: () => boolean;

  before(() => {
    console.info = () => undefined;
    console.error = () => undefined;
  });

  after(() => Object.assign(console, { info, error }));

  beforeEach(async () => {
    events = await openCountedEvents();
    mails = [];
    hasTime = () => true;
    position = upToDate;
  });

  afterEach(() => events.close());

  function ago(seconds: number): string {
    return new Date(Date.now() - seconds * 1000).toISOString();
  }

  function upToDate(): Position {
    return at(ago(130));
  }

  /** A Lambda that is invoked, and has come this far. */
  function at(passed: string): Position {
    return { passed, reached: passed, isActive: true };
  }

  async function sweep(): Promise<SweepCounts> {
    const counts = noCounts();
    await sweepStuckEvents(
      {
        store: events.store,
        s3: new S3Client({}),
        stuckSeconds: STUCK_SECONDS,
        hasTime: () => hasTime(),
        counts,
      },
      {
        maxAttempts: MAX_ATTEMPTS,
        consumers: [
          { functionName: "process-1", statuses: ["created", "uploaded"] },
          { functionName: "notify-1", statuses: ["processed", "failed"] },
        ],
        readPositions: () => Promise.resolve([position(), position()]),
        sendAlarm: (subject, message) => {
          mails.push({ subject, message });
          return Promise.resolve();
        },
        pause: () => setImmediate(),
      },
    );
    return counts;
  }

  /** Sweeps again and again, for this long. @returns the sums of the runs' counts */
  async function sweepFor(seconds: number) {
    const sums = { DrivenOn: 0, GivenUp: 0, SilentConsumers: 0 };
    for (let passed = 0; passed < seconds; passed += SWEEP_SECONDS) {
      events.pass(SWEEP_SECONDS);
      const counts = await sweep();
      sums.DrivenOn += counts.DrivenOn;
      sums.GivenUp += counts.GivenUp;
      sums.SilentConsumers += counts.SilentConsumers;
    }
    return sums;
  }

  /** Puts rows that have not changed for this many seconds. */
  async function putRows(
    count: number,
    seconds: number,
    changes: Partial<FileEvent> = {},
  ): Promise<FileEvent[]> {
    const rows = Array.from({ length: count }, (_, index) =>
      processedEvent({
        event_id: randomUUID(),
        event_timestamp: ago(seconds - index / 1000),
        updated_at: ago(seconds),
        event_status: "uploaded",
        ...changes,
      }),
    );
    await forEachOrThrow(rows, async (event) => {
      const Item = itemOf(event) as PutItemCommand["input"]["Item"];
      await events.store.dynamo.send(new PutItemCommand({ TableName: "events", Item }));
    });
    return rows;
  }

  async function row({ event_id }: EventKey): Promise<FileEvent | undefined> {
    return (await events.rows()).find((event) => event.event_id === event_id);
  }

  /** Whatever is redelivered advances at once. */
  function advanceRedelivered() {
    events.after = async ({ operation, input }) => {
      const { event_id, event_timestamp } = input.Key ?? {};
      const isStatus = input.UpdateExpression?.startsWith("SET event_status") ?? false;
      if (operation === "UpdateItem" && input.TableName === "events" && !isStatus) {
        const key = { event_id: event_id?.S ?? "", event_timestamp: event_timestamp?.S ?? "" };
        await advanceEvent(events.store, key, "processed", { by: "process" });
      }
    };
  }

  describe("a row that waits behind a Lambda that lags", () => {
    for (const event_status of ["created", "uploaded", "processed"] as const) {
      it(`in ${event_status} is left alone, uncounted, for as long as it takes`, async () => {
        const written = ago(3600);
        const [key] = await putRows(1, 3600, { event_status, updated_at: written });
        position = () => at(written);

        const { DrivenOn, GivenUp } = await sweepFor(3 * 3600);

        expect({ DrivenOn, GivenUp }).to.deep.equal({ DrivenOn: 0, GivenUp: 0 });
        const event = key && (await row(key));
        expect(event).to.include({ event_status, updated_at: written });
        expect(event).not.to.have.property("attempts");
      });
    }

    it("is not even read", async () => {
      await putRows(20, 3600);
      position = () => at(ago(3700));
      let read = 0;
      events.after = (_call, answer) => {
        read += (answer as { ScannedCount?: number }).ScannedCount ?? 0;
      };

      await sweep();

      expect(read).to.equal(0);
    });

    it("and was redelivered before counts no further attempt", async () => {
      const [key] = await putRows(1, 1000);
      await sweep();
      const redelivered = Date.now();
      position = () => at(new Date(redelivered - 1000).toISOString());

      await sweepFor(4 * 3600);

      expect(key && (await row(key))).to.include({ event_status: "uploaded", attempts: 1 });
    });
  });

  describe("a row that its Lambda has passed without effect", () => {
    it("is redelivered after delays that double, and is failed after the last attempt", async () => {
      const [key] = await putRows(1, 0);
      const redelivered: number[] = [];
      const start = Date.now();
      let failed: number | undefined;
      while (failed === undefined && redelivered.length < 10) {
        events.pass(180);
        const { DrivenOn, GivenUp } = await sweep();
        const seconds = (Date.now() - start) / 1000;
        redelivered.push(...(DrivenOn === 1 ? [seconds] : []));
        failed = GivenUp === 1 ? seconds : undefined;
      }

      const gaps = redelivered.map((seconds, index) => seconds - (redelivered[index - 1] ?? 0));
      expect(gaps).to.have.lengthOf(MAX_ATTEMPTS);
      for (const [index, gap] of gaps.entries()) {
        expect(gap).to.be.within(
          STUCK_SECONDS * 2 ** index,
          STUCK_SECONDS * 2 ** index * LONGER + 180,
        );
      }
      expect((failed ?? 0) / 3600).to.be.within(7.75, 9);
      const event = key && (await row(key));
      expect(event).to.include({ event_status: "failed", failed_from: "uploaded", attempts: 5 });
      expect(event?.last_error).to.include({ code: "TooManyAttempts", step: "sweep" });
    });

    it("is redelivered once by two concurrent sweepers", async () => {
      await putRows(40, 1000);

      const [first, second] = await Promise.all([sweep(), sweep()]);

      expect(first.DrivenOn + second.DrivenOn).to.equal(40);
      expect((await events.rows()).map(({ attempts }) => attempts)).to.deep.equal(
        Array<number>(40).fill(1),
      );
    });

    it("does not come back with all others of an outage at once", async () => {
      await putRows(50, 0);
      const runs = new Set<number>();
      for (let minute = 0; minute < 20; minute += 1) {
        events.pass(60);
        runs.add((await sweep()).DrivenOn);
      }
      expect(runs.size).to.be.above(2);
    });
  });

  describe("a Lambda of which nothing is known", () => {
    it("gets few of its rows again, uncounted; none is failed, however long it takes", async () => {
      position = () => NOTHING_KNOWN;
      await putRows(40, 4000);

      const { DrivenOn, GivenUp } = await sweepFor(4 * 3600);

      expect(GivenUp).to.equal(0);
      // At most 16 of them are outstanding within an hour.
      expect(DrivenOn).to.be.within(16, 5 * 16);
      const rows = await events.rows();
      expect(rows.filter(({ attempts }) => attempts !== undefined)).to.deep.equal([]);
    });

    it("is silent: operators get one mail a day, and a metric", async () => {
      position = () => NOTHING_KNOWN;
      await putRows(3, 4000);

      const { SilentConsumers } = await sweepFor(5 * 3600);

      expect(SilentConsumers).to.be.above(10);
      expect(mails).to.have.lengthOf(1);
      expect(mails[0]).to.include({ subject: "Not invoked: process-1" });
      expect(mails[0]?.message).to.contain("event source mapping").and.to.contain("process-1");
    });

    it("gets many again at once when the first ones advance: it was idle", async () => {
      position = () => NOTHING_KNOWN;
      await putRows(200, 4000);
      advanceRedelivered();

      expect(await sweep()).to.include({ DrivenOn: 200, SilentConsumers: 0 });
      expect(mails).to.deep.equal([]);
    });

    it("is not silent while CloudWatch does not answer; the run reports that", async () => {
      await putRows(3, 4000);
      position = () => {
        throw Object.assign(new Error("no"), { name: "AccessDenied" });
      };

      for (let runs = 0; runs < 4; runs += 1) {
        events.pass(SWEEP_SECONDS);
        const error = await sweep().catch((thrown: unknown) => thrown);
        expect(error).to.include({ name: "AccessDenied" });
      }

      expect(mails).to.deep.equal([]);
      const rows = await events.rows();
      expect(rows.filter(({ updated_at }) => updated_at > ago(1300))).to.have.lengthOf(3);
    });
  });

  describe("the budget", () => {
    it("bounds what is redelivered to a Lambda that does not come to it", async () => {
      await putRows(600, 2000);
      const written = ago(1500);
      position = () => at(written);

      const first = await sweep();
      const { DrivenOn: later } = await sweepFor(3 * 3600);

      expect(first.DrivenOn).to.equal(256);
      expect(later).to.be.below(256);
      expect(await ledger()).to.include({ budget: 16 });
    });

    it("grows while redelivered rows advance, within a run", async () => {
      await putRows(600, 2000);
      advanceRedelivered();

      expect(await sweep()).to.include({ DrivenOn: 600 });

      expect((await ledger()).budget).to.be.at.least(512);
    });

    it("does not end for rows that never advance: all of them get their attempts", async () => {
      await putRows(40, 2000);
      const { GivenUp } = await sweepFor(40 * 3600);
      expect(GivenUp).to.equal(40);
    });

    async function ledger(): Promise<{ budget: number }> {
      let found = "{}";
      events.after = ({ operation, input }, answer) => {
        const { Items: [item] = [] } = answer as { Items?: Item[] };
        if (operation === "Query" && input.TableName === "counts" && item?.ledger?.S) {
          found = item.period?.S === "created|uploaded" ? item.ledger.S : found;
        }
      };
      await sweep();
      return JSON.parse(found) as { budget: number };
    }
  });

  describe("a run that ends by its time", () => {
    it("is continued by the next one where it ended, and then from the beginning", async () => {
      const keys = await putRows(60, 2000);
      await events.fatten(keys, "x".repeat(60_000));
      let redelivered = 0;
      events.after = ({ operation, input }) => {
        redelivered += operation === "UpdateItem" && input.TableName === "events" ? 1 : 0;
      };
      // A page has some 17 of these rows.
      hasTime = () => redelivered < 10;

      const runs: number[] = [];
      for (let run = 0; run < 4; run += 1) {
        redelivered = 0;
        runs.push((await sweep()).DrivenOn);
        await putRows(run === 0 ? 1 : 0, 3000);
      }

      expect(runs[0]).to.be.within(10, 20);
      expect(runs[1]).to.be.within(10, 20);
      expect(runs.reduce((sum, count) => sum + count)).to.equal(61);
      expect((await events.rows()).filter(({ attempts }) => attempts !== 1)).to.deep.equal([]);
    });
  });

  describe("failures without an alarm", () => {
    const UNALARMED = failedEvent({ event_status: "failed" });

    it("are redelivered ever more rarely, for a day, and keep their time", async () => {
      const failedAt = ago(0);
      const { event_status, failed_from, last_error } = UNALARMED;
      const [key] = await putRows(1, 0, { event_status, failed_from, last_error });

      const { DrivenOn, GivenUp } = await sweepFor(30 * 3600);

      expect(DrivenOn).to.be.within(5, 7);
      expect(GivenUp).to.equal(0);
      const event = key && (await row(key));
      expect(event).to.include({ event_status: "failed" });
      expect(event?.updated_at.slice(0, 19)).to.equal(failedAt.slice(0, 19));
    });

    it("are read by some megabytes a run; the next run goes on", async () => {
      const { event_status, failed_from, last_error } = UNALARMED;
      const alarmed = { event_status, failed_from, last_error, alarmed_at: ago(0) };
      const keys = await putRows(40, 5000, alarmed);
      await events.fatten(keys, "x".repeat(300_000));
      const [last] = await putRows(1, 4000, { event_status, failed_from, last_error });
      let bytes = 0;
      events.after = ({ operation }, answer) => {
        const { ConsumedCapacity: used } = answer as {
          ConsumedCapacity?: { CapacityUnits: number };
        };
        bytes += operation === "Query" ? (used?.CapacityUnits ?? 0) * 8192 : 0;
      };

      const runs: [bytes: number, redelivered: number][] = [];
      for (let run = 0; run < 4; run += 1) {
        bytes = 0;
        const { DrivenOn } = await sweep();
        runs.push([bytes, DrivenOn]);
      }

      for (const [read] of runs) {
        expect(read).to.be.within(1, 6 * 1024 * 1024);
      }
      expect(runs.map(([, redelivered]) => redelivered)).to.deep.equal([0, 0, 1, 0]);
      expect(last && (await row(last))).to.have.property("attempts", 1);
    }).timeout(20_000);
  });
});
