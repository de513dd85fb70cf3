import { setTimeout as delay } from "node:timers/promises";
import { changesOf } from "../batchReads";
import type { CountedEventStore } from "../eventStore";
import { adapted, fateOf, roomOf, withRedelivered } from "./budget";
import type { Position } from "./decision";
import { type Ledger, readLedger, type Sample, type StoredLedger, writeLedger } from "./ledger";

export interface PaceOptions {
  /** Of the ledger. */
  name: string;
  /** The setting. */
  stuckSeconds: number;
  /** Whether there is time to wait for earlier rows. */
  hasTime: () => boolean;
  /** What is newly known of the Lambda. @default it is active, and its position the ledger's */
  position?: Position;
  /** Waits before the next look at whether rows have advanced. @default a second */
  pause?: () => Promise<unknown>;
}

/** Bounds the redelivered rows that are outstanding, over all runs that share a ledger. */
export interface Pace {
  /** As it was last read or written. */
  readonly ledger: Ledger;
  /** Of the Lambda: never behind the one of an earlier run. */
  readonly position: Position;
  /** Whether the Lambda was invoked lately, or redelivered rows have advanced since the last run. */
  readonly isAlive: boolean;
  /** Changes `silent_since`. */
  noteSilence(since: string): Promise<void>;
  /**
   * Takes room for some of these rows, which are then to be redelivered. Waits while earlier rows
   * advance.
   *
   * @returns how many of them, and the time that their redelivery gets; 0: there is no room for now
   */
  take(rows: readonly Omit<Sample, "at">[]): Promise<Taken>;
}

/** The first so many rows. */
export interface Taken {
  count: number;
  /** ISO 8601. */
  at: string;
}

const LOOK_MS = 1000;

/** Looks without a row that has advanced, after which it is left to the next run. */
const MAX_VAIN_LOOKS = 5;

/** Writes of the ledger that another writer may be ahead of. */
const MAX_CONFLICTS = 20;

/** Seconds that rows have: what a Lambda has passed is known some nine minutes later. */
const MAX_PATIENCE_SECONDS = 900;

/** An outstanding redelivery is forgotten after so many times `stuckSeconds`. */
const EXPIRY_FACTOR = 4;

/** Reads the ledger, and adapts its budget to what has become of earlier redeliveries. */
export async function openPace(store: CountedEventStore, options: PaceOptions): Promise<Pace> {
  const { name, stuckSeconds, hasTime, pause = () => delay(LOOK_MS) } = options;
  let stored = await readLedger(store, name);
  let isAlive = options.position?.isActive ?? true;
  let vainLooks = 0;

  /** Changes the ledger; again from what another writer left, if it was ahead. */
  const change = async (next: (ledger: Ledger) => Ledger | Promise<Ledger>): Promise<void> => {
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      const ledger = await next(stored.ledger);
      if (ledger === stored.ledger) {
        return;
      }
      const written: StoredLedger = { ledger, revision: stored.revision };
      if (await writeLedger(store, name, written)) {
        stored = { ledger, revision: (stored.revision ?? 0) + 1 };
        return;
      }
      stored = await readLedger(store, name);
    }
    throw new Error(`The ledger of redeliveries "${name}" is changed by too many at once.`);
  };

  const position = (ledger: Ledger): Position => {
    const { passed, reached, isActive = true } = options.position ?? { passed: "", reached: "" };
    const known = passed > ledger.passed ? passed : ledger.passed;
    return { passed: known, reached: reached > known ? reached : known, isActive };
  };

  const adapt = () =>
    change(async (ledger) => {
      const { samples } = ledger;
      const times = {
        now: Date.now(),
        patienceSeconds: Math.min(MAX_PATIENCE_SECONDS, stuckSeconds),
        expirySeconds: EXPIRY_FACTOR * stuckSeconds,
      };
      const changes = samples.length > 0 ? await changesOf(store, samples) : [];
      const { passed, reached } = position(ledger);
      const fates = samples.map((sample, index) =>
        fateOf(sample, changes[index] ?? "changed", reached, times),
      );
      if (fates.includes("advanced")) {
        isAlive = true;
        vainLooks = 0;
      }
      const next = adapted(ledger, fates, times);
      return next.passed === passed ? next : { ...next, passed };
    });

  await adapt();

  /** Takes room that is there. */
  const takeNow = async (rows: readonly Omit<Sample, "at">[]): Promise<Taken> => {
    let count = 0;
    const now = Date.now();
    const at = new Date(now).toISOString();
    await change((ledger) => {
      count = Math.min(rows.length, roomOf(ledger, isAlive));
      const samples = rows.slice(0, count).map((row) => ({ ...row, at }));
      return count === 0 ? ledger : withRedelivered(ledger, samples, now);
    });
    return { count, at };
  };

  const take = async (rows: readonly Omit<Sample, "at">[]): Promise<Taken> => {
    for (;;) {
      const taken = await takeNow(rows);
      if (taken.count > 0 || vainLooks >= MAX_VAIN_LOOKS || !hasTime()) {
        return taken;
      }
      vainLooks += 1;
      await pause();
      await adapt();
    }
  };

  let turn: Promise<unknown> = Promise.resolve();
  return {
    get ledger() {
      return stored.ledger;
    },
    get position() {
      return position(stored.ledger);
    },
    get isAlive() {
      return isAlive;
    },
    noteSilence: (since) =>
      change((ledger) =>
        ledger.silent_since === since ? ledger : { ...ledger, silent_since: since },
      ),
    take(rows) {
      // One at a time: callers share what is known of the ledger.
      const own = turn.then(() => take(rows));
      turn = own.catch(() => undefined);
      return own;
    },
  };
}
