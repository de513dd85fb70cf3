import type { Position } from "./decision";
import { type Ledger, MIN_BUDGET, type Sample } from "./ledger";

/** More rows than one run can redeliver. */
export const MAX_BUDGET = 32_768;

/** Rows whose progress stands for that of all. */
const MAX_SAMPLES = 100;

/**
 * What a row is like after its redelivery: `changed` where it is gone, or has another status or its
 * alarm; `other` where it has only another version, as after a further redelivery, or none.
 */
export type RowChange = "changed" | "same" | "other";

/** What has become of a redelivered row; `forgotten`: it stands for nothing any more. */
export type Fate = "advanced" | "passed" | "outstanding" | "forgotten";

/** When redeliveries are judged. */
export interface BudgetTimes {
  /** Milliseconds since 1970. */
  now: number;
  /** Seconds that rows have to advance before the budget is halved. */
  patienceSeconds: number;
  /** Seconds after which a redelivery no longer counts as outstanding, whatever is known of it. */
  expirySeconds: number;
}

/** @param reached see `Position` */
export function fateOf(
  { at }: Sample,
  change: RowChange,
  reached: string,
  { now, expirySeconds }: BudgetTimes,
): Fate {
  if (change === "changed") {
    return "advanced";
  }
  if (change === "same" && at < reached) {
    return "passed";
  }
  const isExpired = Date.parse(at) + expirySeconds * 1000 < now;
  return change === "other" || isExpired ? "forgotten" : "outstanding";
}

/**
 * Adapts the budget to what has become of the samples: doubled when the Lambda keeps up, halved when it
 * has had the time and does not. It keeps up when it has passed half of them, or when a quarter has
 * advanced, which is known at once: after an outage, most of what is left may be events that always
 * fail, and those must not hold up the others.
 */
export function adapted(ledger: Ledger, fates: readonly Fate[], times: BudgetTimes): Ledger {
  const { budget, samples, outstanding, adapted_at } = ledger;
  if (samples.length === 0) {
    return outstanding === 0 ? ledger : { ...ledger, outstanding: 0 };
  }
  const advanced = fates.filter((fate) => fate === "advanced").length;
  const passed = fates.filter((fate) => fate === "passed").length;
  const left = samples.filter((_, index) => fates[index] === "outstanding");
  const keepsUp = advanced * 4 >= samples.length || (advanced + passed) * 2 >= samples.length;
  const isOver =
    left.length === 0 || times.now >= Date.parse(adapted_at) + times.patienceSeconds * 1000;
  if (!keepsUp && !isOver) {
    return ledger;
  }
  return {
    ...ledger,
    budget: keepsUp ? Math.min(MAX_BUDGET, budget * 2) : Math.max(MIN_BUDGET, budget / 2),
    outstanding: Math.ceil((outstanding * left.length) / samples.length),
    samples: left,
    adapted_at: new Date(times.now).toISOString(),
  };
}

/** Every so many-th of the list, in order. */
function thinned<T>(list: readonly T[], most: number): T[] {
  return list.length <= most
    ? [...list]
    : Array.from(
        { length: most },
        (_, index) => list[Math.floor((index * list.length) / most)],
      ).flatMap((each) => (each === undefined ? [] : [each]));
}

/** The ledger with more redelivered rows; earlier and new ones are sampled by their share. */
export function withRedelivered(ledger: Ledger, rows: readonly Sample[], now: number): Ledger {
  const outstanding = ledger.outstanding + rows.length;
  const share = Math.round((MAX_SAMPLES * rows.length) / Math.max(1, outstanding));
  const own = thinned(rows, Math.max(1, share));
  return {
    ...ledger,
    outstanding,
    samples: [...thinned(ledger.samples, MAX_SAMPLES - own.length), ...own],
    // Rows have their time from now on, unless earlier ones are being waited for.
    adapted_at: ledger.samples.length === 0 ? new Date(now).toISOString() : ledger.adapted_at,
  };
}

/**
 * Rows that may be redelivered now.
 *
 * @param isAlive whether the Lambda was invoked lately, or rows have advanced
 */
export function roomOf({ budget, outstanding }: Ledger, isAlive: Position["isActive"]): number {
  return Math.max(0, Math.floor(isAlive ? budget : MIN_BUDGET) - outstanding);
}
