import type { EventKey } from "../../events/event";

type Timed = Pick<EventKey, "event_timestamp">;

/** Characters of `event_timestamp`: a period is ten minutes, such as `2026-11-21T20:1`. */
const PERIOD_LENGTH = 15;

/** Characters of a period: its day. */
const DAY_LENGTH = 10;

/** Milliseconds; the period of an older event may be counted already. */
const LATE_MS = 60_000;

/** The period of an event: the unit in which events are counted. */
export function periodOf({ event_timestamp }: Timed): string {
  return event_timestamp.slice(0, PERIOD_LENGTH);
}

/** The day of a period. */
export function dayOf(period: string): string {
  return period.slice(0, DAY_LENGTH);
}

/** Whether the event's period may be counted already. */
export function isLate({ event_timestamp }: Timed): boolean {
  return Date.parse(event_timestamp) < Date.now() - LATE_MS;
}
