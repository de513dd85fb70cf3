import { EVENT_STATUSES } from "../../events/event";
import type { CountedEventStore } from "../eventStore";
import { BEGINNING, endOf, type TimeRange } from "../timeRange";
import { countEventsIn } from "./countEventsIn";
import { readMarks } from "./marks";
import { readFinished } from "./sealedCounts";
import { readWatermark } from "./watermark";

const HOUR_MS = 3_600_000;

/** Characters of a timestamp: its hour, such as `2026-11-21T20`. */
const HOUR_LENGTH = 13;

/** The events whose timestamp is in one hour. */
export interface HourCount {
  /** The hour's begin; ISO 8601, UTC, milliseconds. */
  from: string;
  count: number;
}

/** The ranges of the hours that no sealed count covers: marked periods, and all after the watermark. */
function unsealedRanges(hours: string[], marked: string[], upTo: string): TimeRange[] {
  return hours.flatMap((hour) => {
    const periods = marked.filter((period) => period.startsWith(hour));
    const ranges = periods.map((period) => ({ from: period, to: endOf(period) }));
    const to = endOf(hour);
    return upTo < to ? [...ranges, { from: upTo < hour ? hour : endOf(upTo), to }] : ranges;
  });
}

/**
 * Counts the events that are there, of any status, by the hour of their timestamp. As for
 * `countEvents`, sealed periods are added up and the others counted: the cost depends on the events
 * of the last half hour and on the number of hours.
 *
 * @param hours the last ones, with the present hour
 * @returns oldest first, also hours without an event
 */
export async function countHours(store: CountedEventStore, hours: number): Promise<HourCount[]> {
  const present = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  const begins = Array.from({ length: hours }, (_, index) =>
    new Date(present - (hours - 1 - index) * HOUR_MS).toISOString(),
  );
  const names = begins.map((from) => from.slice(0, HOUR_LENGTH));
  const first = names[0] ?? "";
  // In this order: for this call, periods that are sealed meanwhile are marked or after the watermark.
  const upTo = (await readWatermark(store))?.up_to ?? BEGINNING;
  const marks = await readMarks(store);
  const marked = marks.map(({ period }) => period).filter((period) => period <= upTo);
  const counts = new Map(names.map((name) => [name, 0]));
  const add = (time: string, count: number) => {
    const hour = time.slice(0, HOUR_LENGTH);
    counts.set(hour, (counts.get(hour) ?? 0) + count);
  };
  const sealed =
    upTo < first ? [] : await readFinished(store, "sealed", { from: first, to: endOf(upTo) });
  for (const { period, notified, failed } of sealed) {
    if (period <= upTo && !marked.includes(period)) {
      add(period, notified + failed);
    }
  }
  const ranges = unsealedRanges(names, marked, upTo);
  // In the order of the pipeline, so that an event that advances meanwhile is not missed.
  for (const status of EVENT_STATUSES) {
    const found = await countEventsIn(store, status, ranges);
    found.forEach((count, index) => {
      add(ranges[index]?.from ?? "", count);
    });
  }
  return begins.map((from, index) => ({ from, count: counts.get(names[index] ?? "") ?? 0 }));
}
