import { EVENT_STATUSES, type EventKey, type EventStatus } from "../../events/event";
import { predecessorsOf } from "../../events/transitions";
import { forEachOrThrow } from "../../runtime/concurrency";
import type { CountedEventStore } from "../eventStore";
import { oldestEvent } from "../timeIndex";
import { BEGINNING, END, endOf, type TimeRange } from "../timeRange";
import { countEventsIn } from "./countEventsIn";
import { readMarks } from "./marks";
import { dayOf } from "./periods";
import { type Finished, type FinishedIn, readFinished, sumOf } from "./sealedCounts";
import { readWatermark } from "./watermark";

/** Up to this many sealed events between two marked periods, counting them again is cheaper. */
const MAX_GAP = 1000;

/** The result of `countEvents`. */
export interface EventCounts {
  counts: Record<EventStatus, number>;
  /** null: all events are finished. */
  oldestUnfinished: (EventKey & { event_status: EventStatus }) | null;
}

/** The counts of finished events that are known, and the ranges that must be counted. */
interface KnownCounts {
  sum: Finished;
  unknown: TimeRange[];
}

/** Adds up a day's sealed periods, except the marked ones and small gaps between those. */
function addUp(sealed: FinishedIn[], marked: Set<string>): KnownCounts {
  const periods = new Map(sealed.map((counts) => [counts.period, counts]));
  const unknown: TimeRange[] = [];
  const sums: Finished[] = [];
  let gap: Finished = { notified: 0, failed: 0 };
  for (const period of [...new Set([...periods.keys(), ...marked])].sort()) {
    const counts = periods.get(period);
    const range = unknown.at(-1);
    if (counts && !marked.has(period)) {
      gap = sumOf([gap, counts]);
      continue;
    }
    if (range && gap.notified + gap.failed <= MAX_GAP) {
      range.to = endOf(period);
    } else {
      sums.push(gap);
      unknown.push({ from: period, to: endOf(period) });
    }
    gap = { notified: 0, failed: 0 };
  }
  return { sum: sumOf([...sums, gap]), unknown };
}

async function readKnownCounts(store: CountedEventStore): Promise<KnownCounts> {
  // In this order: for this call, periods that are sealed meanwhile are marked or after the watermark.
  const upTo = (await readWatermark(store))?.up_to ?? BEGINNING;
  const marks = (await readMarks(store)).filter(({ period }) => period <= upTo);
  const lastDay = dayOf(upTo);
  const days = new Map([[lastDay, new Set<string>()]]);
  for (const { period } of marks) {
    const marked = days.get(dayOf(period)) ?? new Set();
    days.set(dayOf(period), marked.add(period));
  }
  const whole = await readFinished(store, "day", { from: BEGINNING, to: lastDay });
  const unmarked = whole.filter(({ period }) => !days.has(period));
  const parts: KnownCounts[] = [{ sum: sumOf(unmarked), unknown: [] }];
  await forEachOrThrow([...days], async ([day, marked]) => {
    const sealed = await readFinished(store, "sealed", { from: day, to: endOf(day) });
    const reached = sealed.filter(({ period }) => period <= upTo);
    parts.push(addUp(reached, marked));
  });
  return {
    sum: sumOf(parts.map(({ sum }) => sum)),
    unknown: [...parts.flatMap(({ unknown }) => unknown), { from: endOf(upTo), to: END }],
  };
}

async function findOldestUnfinished(
  store: CountedEventStore,
): Promise<EventCounts["oldestUnfinished"]> {
  let oldest: EventCounts["oldestUnfinished"] = null;
  for (const event_status of predecessorsOf("failed")) {
    const event = await oldestEvent(store, event_status);
    if (event && (oldest === null || event.event_timestamp < oldest.event_timestamp)) {
      oldest = { ...event, event_status };
    }
  }
  return oldest;
}

/**
 * Counts the events of each status. The counts are exact while no event changes; the cost depends
 * on the events of the last half hour, not on all events: sealed periods (see `sealPeriods.ts`) are
 * added up, and only the others are counted.
 */
export async function countEvents(store: CountedEventStore): Promise<EventCounts> {
  const { sum, unknown } = await readKnownCounts(store);
  const counts = { created: 0, uploaded: 0, processed: 0, notified: 0, failed: 0 };
  // In the order of the pipeline, so that an event that advances meanwhile is not missed.
  for (const status of EVENT_STATUSES) {
    const isFinished = status === "notified" || status === "failed";
    const ranges = isFinished ? unknown : [{ from: BEGINNING, to: END }];
    const found = await countEventsIn(store, status, ranges);
    counts[status] = found.reduce((total, count) => total + count, isFinished ? sum[status] : 0);
  }
  return { counts, oldestUnfinished: await findOldestUnfinished(store) };
}
