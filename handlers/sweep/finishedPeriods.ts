import { EVENT_STATUSES } from "../../events/event";
import { predecessorsOf } from "../../events/transitions";
import {
  addMark,
  dayOf,
  type Mark,
  markClear,
  markOpen,
  moveWatermark,
  readMarks,
  readWatermark,
  removeMark,
  sumUpDay,
  type Watermark,
  writeSealed,
} from "../../store/countsTable";
import { BEGINNING, countEventsIn, endOf, findPeriods, forEachOf } from "../../store/eventIndex";
import type { CountedEventStore } from "../../store/eventStore";
import { periodOf } from "../../store/periods";
import type { SweepRun } from "./sweepRun";

const PERIOD_MS = 10 * 60 * 1000;

/**
 * How old the end of a period, and a mark, must be: no Lambda that writes rows has a longer timeout
 * than 120 seconds, and rows that are younger than 60 are written without a mark.
 */
const SETTLED_MS = 180_000;

/**
 * From one look at the index to the one that confirms it. A row that changes its partition of the
 * index is in neither for a moment: it may be missed once, but not twice a minute apart.
 */
const APART_MS = 60_000;

/** Periods that one run goes on by; the next run goes on where this one ended. */
const MAX_PERIODS = 1000;

/** Periods that are sealed in one go: little enough to finish when time is nearly over. */
const PIECE = 8;

/** The watermark of a table that no run has gone through. */
const UNTOUCHED: Watermark = { up_to: BEGINNING, scanned_to: BEGINNING, scanned_at: "" };

/** What one run knows. */
interface Sealing {
  store: CountedEventStore;
  hasTime: () => boolean;
  /** ISO 8601; when the looks of this run were over. */
  lookedAt: string;
  /** Whether no event of the period was seen on its way. */
  isClear: (period: string) => boolean;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function isOlder(time: string, milliseconds: number): boolean {
  return Date.parse(time) <= Date.now() - milliseconds;
}

/** The last period that ended long enough ago. */
function lastSettledPeriod(): string {
  return periodOf({ event_timestamp: iso(Date.now() - SETTLED_MS - PERIOD_MS) });
}

async function startSealing(
  store: CountedEventStore,
  hasTime: () => boolean,
  upTo: string,
): Promise<Sealing> {
  const range = { after: BEGINNING, upTo };
  const open = await findPeriods(store, predecessorsOf("failed"), range, hasTime);
  const periods = new Set(open.periods);
  return {
    store,
    hasTime,
    lookedAt: iso(Date.now()),
    isClear: (period) => period <= open.upTo && !periods.has(period),
  };
}

/**
 * Marks the next periods that have events, and moves the watermark over those that were marked, and
 * looked for once more, before.
 *
 * @returns the period up to which marks may be worked off
 */
async function advance(
  { store, hasTime, lookedAt, isClear }: Sealing,
  before: Watermark | undefined,
  marks: Mark[],
): Promise<string> {
  const { up_to, scanned_to, scanned_at } = before ?? UNTOUCHED;
  if (scanned_at !== "" && !isOlder(scanned_at, APART_MS)) {
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
  await forEachOf(unmarked, async (period) => {
    const clear_at = isClear(period) ? lookedAt : undefined;
    await addMark(store, { period, marked_at: lookedAt, clear_at });
  });
  const after = {
    up_to: seen.upTo,
    scanned_to: found.upTo,
    scanned_at: isWhole ? iso(Date.now()) : scanned_at,
  };
  return (await moveWatermark(store, before, after)) ? seen.upTo : up_to;
}

/** Keeps what this run saw of the marked periods. Returns the marks whose periods can be sealed. */
async function confirmMarks(
  { store, hasTime, lookedAt, isClear }: Sealing,
  marks: Mark[],
): Promise<Mark[]> {
  const settled = marks.filter(({ marked_at }) => isOlder(marked_at, SETTLED_MS));
  await forEachOf(settled, async (mark) => {
    if (!hasTime()) {
      return;
    }
    const clear = isClear(mark.period);
    if (clear && mark.clear_at === undefined) {
      await markClear(store, mark, lookedAt);
    } else if (!clear && mark.clear_at !== undefined) {
      await markOpen(store, mark);
    }
  });
  return settled.filter(
    ({ period, clear_at }) =>
      clear_at !== undefined && isOlder(clear_at, APART_MS) && isClear(period),
  );
}

/**
 * Seals marked periods of one day. Up to the end, their marks keep everybody from using what is
 * written here; a mark that was renewed meanwhile stays.
 */
async function sealPiece(store: CountedEventStore, day: string, marks: Mark[]): Promise<void> {
  const countedAt = iso(Date.now());
  const ranges = marks.map(({ period }) => ({ from: period, to: endOf(period) }));
  const failed = await countEventsIn(store, "failed", ranges);
  const notified = await countEventsIn(store, "notified", ranges);
  const written: Mark[] = [];
  await forEachOf([...marks.entries()], async ([index, mark]) => {
    const counts = {
      period: mark.period,
      notified: notified[index] ?? 0,
      failed: failed[index] ?? 0,
    };
    if (await writeSealed(store, counts, countedAt)) {
      written.push(mark);
    }
  });
  if (written.length > 0 && (await sumUpDay(store, day))) {
    await forEachOf(written, async (mark) => {
      await removeMark(store, mark);
    });
  }
}

/**
 * Counts finished periods, oldest first, for `countEvents` to add up. A period is sealed when two
 * looks, a minute and more apart, found no event of it on its way. Several runs at once do no harm,
 * nor does a run that ends anywhere: whatever is not sealed yet is marked, or after the watermark.
 */
export async function sealPeriods(
  store: CountedEventStore,
  { hasTime }: Pick<SweepRun, "hasTime">,
): Promise<void> {
  const watermark = await readWatermark(store);
  const marks = await readMarks(store);
  const { scanned_to } = watermark ?? UNTOUCHED;
  const settled = lastSettledPeriod();
  const last = settled > scanned_to ? settled : scanned_to;
  const sealing = await startSealing(store, hasTime, last);
  const upTo = await advance(sealing, watermark, marks);
  const reached = marks.filter(({ period }) => period <= upTo);
  const days = Map.groupBy(await confirmMarks(sealing, reached), ({ period }) => dayOf(period));
  for (const [day, ripe] of days) {
    for (let index = 0; index < ripe.length && hasTime(); index += PIECE) {
      await sealPiece(store, day, ripe.slice(index, index + PIECE));
    }
  }
}

/** A part of the sweeper's run: keeps the counts of finished periods up to date. */
export async function sweepCounts({ store, hasTime }: SweepRun): Promise<void> {
  await sealPeriods(store, { hasTime });
}
