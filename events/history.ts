/** What happened to an event: a list in its row, written with each change of its status. */
import type { EventStatus, HistoryEntry } from "./event";

/** Entries of a row: the first one, which is the event's begin, and the newest. */
export const MAX_ENTRIES = 20;

/** @param history the entries so far @default none */
export function withEntry(history: HistoryEntry[] = [], entry: HistoryEntry): HistoryEntry[] {
  const all = [...history, entry];
  return all.length <= MAX_ENTRIES ? all : [...all.slice(0, 1), ...all.slice(1 - MAX_ENTRIES)];
}

/** A status that no event leaves by itself. */
function isFinal(status: EventStatus): boolean {
  return status === "notified" || status === "failed";
}

/**
 * Seconds that the event has spent in each status, by the times of its entries. A present status
 * counts until now, if it is one to wait in: not `notified` or `failed`.
 *
 * @param now milliseconds since 1970
 */
export function secondsInStatus(
  history: HistoryEntry[],
  now: number,
): Partial<Record<EventStatus, number>> {
  const milliseconds = new Map<EventStatus, number>();
  history.forEach(({ status, time }, index) => {
    const next = history[index + 1];
    if (next || !isFinal(status)) {
      const spent = Math.max(0, (next ? Date.parse(next.time) : now) - Date.parse(time));
      milliseconds.set(status, (milliseconds.get(status) ?? 0) + spent);
    }
  });
  return Object.fromEntries([...milliseconds].map(([status, spent]) => [status, spent / 1000]));
}
