import { EVENT_STATUSES } from "../../events/event";
import { predecessorsOf } from "../../events/transitions";
import { forEachOrThrow } from "../../runtime/concurrency";
import type { CountedEventStore } from "../eventStore";
import { BEGINNING, endOf } from "../timeRange";
import { countEventsIn } from "./countEventsIn";
import { findPeriods } from "./findPeriods";
import { addMark, type Mark, readMarks, removeMark, setClear, unsetClear } from "./marks";
import { dayOf, periodOf } from "./periods";
import { writeDaySum, writeSealed } from "./sealedCounts";
import { moveWatermark, readWatermark, type Watermark } from "./watermark";

const PERIOD_MS = 10 * 60 * 1000;

/**
 * Minimum age of a period's end, and of a mark, in milliseconds: the longest timeout of a Lambda
 * that writes rows (120 s), and the age up to which rows are written without a mark (60 s).
 */
const SETTLED_MS = 180_000;

/**
 * Milliseconds between a scan of the index and the one that confirms it. A row that moves between
 * partitions of the index is briefly in neither: one scan may miss it, but not two a minute apart.
 */
const CONFIRMATION_MS = 60_000;

/** New periods of one run; the next run continues after them. */
const MAX_PERIODS = 1000;

/** Periods sealed together: few enough to finish within a Lambda's last seconds. */
const CHUNK = 8;

/** The watermark before the first run. */
const INITIAL: Watermark = { up_to: BEGINNING, scanned_to: BEGINNING, scanned_at: "" };

/** The state of one run. */
interface Sealing {
  store: CountedEventStore;
  hasTime: () => boolean;
  /** ISO 8601; when the scan for unfinished events had ended. */
  scannedAt: string;
  /** Whether the scan found no unfinished event in the period. */
  isClear: (period: string) => boolean;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function isOlder(time: string, milliseconds: number): boolean {
  return Date.parse(time) <= Date.now() - milliseconds;
}

/** The last period that ended at least `SETTLED_MS` ago. */
function lastSettledPeriod(): string {
  return periodOf({ event_timestamp: iso(Date.now() - SETTLED_MS - PERIOD_MS) });
}

async function startSealing(
  store: CountedEventStore,
  hasTime: () => boolean,
  upTo: string,
): Promise<Sealing> {
  const range = { after: BEGINNING, upTo };
  const unfinished = await findPeriods(store, predecessorsOf("failed"), range, hasTime);
  const periods = new Set(unfinished.periods);
  return {
    store,
    hasTime,
    scannedAt: iso(Date.now()),
    isClear: (period) => period <= unfinished.upTo && !periods.has(period),
  };
}

/**
 * Marks the next periods that have events, and moves the watermark over those that a previous run
 * marked, after a second search for periods that it missed.
 *
 * @returns the period up to which marks may be sealed
 */
async function advanceWatermark(
  { store, hasTime, scannedAt, isClear }: Sealing,
  before: Watermark | undefined,
  marks: Mark[],
): Promise<string> {
  const { up_to, scanned_to, scanned_at } = before ?? INITIAL;
  if (scanned_at !== "" && !isOlder(scanned_at, CONFIRMATION_MS)) {
    return up_to;
  }
  const again = { after: up_to, upTo: scanned_to };
  const seen = await findPeriods(store, EVENT_STATUSES, again, hasTime);
  const isWhole = seen.upTo === scanned_to;
  const ahead = { after: scanned_to, upTo: isWhole ? lastSettledPeriod() : scanned_to };
  const found = await findPeriods(
    store,
    EVENT_STATUSES,
    ahead,
    (count) => count < MAX_PERIODS && hasTime(),
  );
  const marked = new Set(marks.map(({ period }) => period));
  const unmarked = [...seen.periods, ...found.periods].filter((period) => !marked.has(period));
  await forEachOrThrow(unmarked, async (period) => {
    const clear_at = isClear(period) ? scannedAt : undefined;
    await addMark(store, { period, marked_at: scannedAt, clear_at });
  });
  const after = {
    up_to: seen.upTo,
    scanned_to: found.upTo,
    scanned_at: isWhole ? iso(Date.now()) : scanned_at,
  };
  return (await moveWatermark(store, before, after)) ? seen.upTo : up_to;
}

/** Updates the marks by this run's scan. Returns those whose periods can be sealed. */
async function confirmMarks(
  { store, hasTime, scannedAt, isClear }: Sealing,
  marks: Mark[],
): Promise<Mark[]> {
  const settled = marks.filter(({ marked_at }) => isOlder(marked_at, SETTLED_MS));
  await forEachOrThrow(settled, async (mark) => {
    if (!hasTime()) {
      return;
    }
    const clear = isClear(mark.period);
    if (clear && mark.clear_at === undefined) {
      await setClear(store, mark, scannedAt);
    } else if (!clear && mark.clear_at !== undefined) {
      await unsetClear(store, mark);
    }
  });
  return settled.filter(
    ({ period, clear_at }) =>
      clear_at !== undefined && isOlder(clear_at, CONFIRMATION_MS) && isClear(period),
  );
}

/**
 * Seals marked periods of one day. Their marks are removed last: until then, the new counts are not
 * used. A mark that was renewed meanwhile stays.
 */
async function sealChunk(store: CountedEventStore, day: string, marks: Mark[]): Promise<void> {
  const countedAt = iso(Date.now());
  const ranges = marks.map(({ period }) => ({ from: period, to: endOf(period) }));
  const failed = await countEventsIn(store, "failed", ranges);
  const notified = await countEventsIn(store, "notified", ranges);
  const written: Mark[] = [];
  await forEachOrThrow([...marks.entries()], async ([index, mark]) => {
    const counts = {
      period: mark.period,
      notified: notified[index] ?? 0,
      failed: failed[index] ?? 0,
    };
    if (await writeSealed(store, counts, countedAt)) {
      written.push(mark);
    }
  });
  if (written.length > 0 && (await writeDaySum(store, day))) {
    await forEachOrThrow(written, async (mark) => {
      await removeMark(store, mark);
    });
  }
}

/**
 * Counts finished periods, oldest first, for `countEvents` to add up. A period is sealed when two
 * scans, at least a minute apart, found no unfinished event in it. Concurrent and interrupted runs
 * are safe: a period that is not sealed is marked or after the watermark.
 *
 * @param hasTime whether there is time for another step
 */
export async function sealPeriods(store: CountedEventStore, hasTime: () => boolean): Promise<void> {
  const watermark = await readWatermark(store);
  const marks = await readMarks(store);
  const { scanned_to } = watermark ?? INITIAL;
  const settled = lastSettledPeriod();
  const last = settled > scanned_to ? settled : scanned_to;
  const sealing = await startSealing(store, hasTime, last);
  const upTo = await advanceWatermark(sealing, watermark, marks);
  const reached = marks.filter(({ period }) => period <= upTo);
  const days = Map.groupBy(await confirmMarks(sealing, reached), ({ period }) => dayOf(period));
  for (const [day, confirmed] of days) {
    for (let index = 0; index < confirmed.length && hasTime(); index += CHUNK) {
      await sealChunk(store, day, confirmed.slice(index, index + CHUNK));
    }
  }
}
