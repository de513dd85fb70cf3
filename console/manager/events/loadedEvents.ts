import type { EventKey, FileEvent } from "../../../events/event";
import type { EventPage } from "../api/answers";

/** The events of a list that are loaded, newest first, in the order of the API. */
export interface LoadedEvents {
  events: FileEvent[];
  /** The cursor of the page after them; null: all are loaded. */
  next: string | null;
}

/** Negative: `a` is listed before `b`; newest first, as `GET /events` has them. */
export function compareEvents(a: EventKey, b: EventKey): number {
  if (a.event_timestamp !== b.event_timestamp) {
    return a.event_timestamp > b.event_timestamp ? -1 : 1;
  }
  if (a.event_id === b.event_id) {
    return 0;
  }
  return a.event_id > b.event_id ? -1 : 1;
}

/** Whether both show the same; the arrays need not be the same. */
function isSame(a: FileEvent[], b: FileEvent[]): boolean {
  return (
    a.length === b.length &&
    a.every((event, index) => {
      const other = b[index];
      return (
        event === other ||
        (event.event_id === other?.event_id &&
          event.event_timestamp === other.event_timestamp &&
          event.event_status === other.event_status &&
          event.updated_at === other.updated_at)
      );
    })
  );
}

/** @param events sorted @returns the index of the first event that is not before `key` */
function positionOf(events: FileEvent[], key: EventKey): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const event = events[middle];
    if (event && compareEvents(event, key) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** Appends the page that `next` gave. */
export function withNextPage({ events }: LoadedEvents, page: EventPage): LoadedEvents {
  const last = events.at(-1);
  const more = last ? page.events.filter((event) => compareEvents(event, last) > 0) : page.events;
  return { events: [...events, ...more], next: page.next_cursor };
}

/**
 * Replaces the begin of the list by a newly read one: events that are new, that have changed, or that
 * have left the list meanwhile.
 *
 * @param page the newest events, without a gap
 * @returns the list as it was (the same object) where nothing has changed
 */
export function withNewest(loaded: LoadedEvents, page: EventPage): LoadedEvents {
  const last = page.events.at(-1);
  if (page.next_cursor === null || !last) {
    return loaded.next === null && isSame(loaded.events, page.events)
      ? loaded
      : { events: page.events, next: null };
  }
  if (hasGap(loaded, page)) {
    return { events: page.events, next: page.next_cursor };
  }
  const first = positionOf(loaded.events, last);
  const isRead = loaded.events[first]?.event_id === last.event_id;
  const older = loaded.events.slice(isRead ? first + 1 : first);
  if (older.length === 0) {
    // The page's own cursor: what was loaded may have ended before the page does.
    return isSame(loaded.events, page.events)
      ? loaded
      : { events: page.events, next: page.next_cursor };
  }
  const events = [...page.events, ...older];
  return isSame(loaded.events, events) ? loaded : { events, next: loaded.next };
}

/** Whether there may be events between the page, the newest ones, and those that are loaded. */
export function hasGap({ events }: LoadedEvents, page: EventPage): boolean {
  const [newest] = events;
  const last = page.events.at(-1);
  return (
    page.next_cursor !== null &&
    newest !== undefined &&
    last !== undefined &&
    compareEvents(last, newest) < 0
  );
}

/** Some of the list's events, by their times. */
export interface Span {
  /** `event_timestamp`s, both inclusive. */
  newest: string;
  oldest: string;
}

/**
 * Replaces the events of a span by those newly read.
 *
 * @param read all of the span's events
 * @returns the list as it was (the same object) where nothing has changed
 */
export function withSpan(
  loaded: LoadedEvents,
  { newest, oldest }: Span,
  read: FileEvent[],
): LoadedEvents {
  const start = loaded.events.findIndex((event) => event.event_timestamp <= newest);
  const rest = loaded.events.findIndex((event) => event.event_timestamp < oldest);
  const from = start < 0 ? loaded.events.length : start;
  const to = rest < 0 ? loaded.events.length : rest;
  if (isSame(loaded.events.slice(from, to), read)) {
    return loaded;
  }
  return {
    ...loaded,
    events: [...loaded.events.slice(0, from), ...read, ...loaded.events.slice(to)],
  };
}

/** The file's name, or its key where it has none. */
export function nameOf({ event_info }: FileEvent): string {
  return event_info.FileName ?? event_info.Key;
}

/** Names in lower case, by event: a list is searched at every key press. */
const searched = new WeakMap<FileEvent, string>();

function searchTextOf(event: FileEvent): string {
  let text = searched.get(event);
  if (text === undefined) {
    text = `${nameOf(event)}\n${event.event_id}`.toLowerCase();
    searched.set(event, text);
  }
  return text;
}

/** The events whose name or id contains the text, whatever its case. */
export function withName(events: FileEvent[], text: string): FileEvent[] {
  const wanted = text.trim().toLowerCase();
  return wanted === "" ? events : events.filter((event) => searchTextOf(event).includes(wanted));
}
