import type {
  EventError,
  EventInfo,
  EventKey,
  EventResult,
  EventStatus,
  FileEvent,
  HistoryEntry,
} from "../events/event";
import { isAlarming } from "../events/failures";
import { withEntry } from "../events/history";
import { toHistoryList, toMap } from "../events/item";
import { predecessorsOf } from "../events/transitions";
import { reopenPeriod } from "./counts/marks";
import { isLate } from "./counts/periods";
import type { CountedEventStore, EventStore } from "./eventStore";
import { type RowUpdate, updateRow } from "./updateRow";

function now(): string {
  return new Date().toISOString();
}

/** What a change of status needs to know of the event that it changes. */
export type KnownEvent = EventKey & Pick<FileEvent, "event_history" | "attempts">;

/**
 * The attributes of every change of status. The whole history is written: DynamoDB cannot append to
 * a list and trim it in one expression. It is that of the row as it was read; the change itself
 * is conditional on the status, so what another writer may add meanwhile is at most a redelivery.
 */
function changed(
  { event_history, attempts }: KnownEvent,
  entry: Omit<HistoryEntry, "time" | "attempt">,
  time = now(),
) {
  const history = withEntry(event_history, { ...entry, time, attempt: attempts });
  return { updated_at: { S: time }, event_history: toHistoryList(history) };
}

/** What is learned of a file while it is processed. */
export interface Learned {
  event_result?: EventResult;
  /** In place of the row's, which is known to have less. */
  event_info?: EventInfo;
}

function learned({ event_result, event_info }: Learned) {
  return {
    ...(event_result && { event_result: toMap(event_result) }),
    ...(event_info && { event_info: { S: JSON.stringify(event_info) } }),
  };
}

/**
 * Advances an event from any status that comes before `to`.
 *
 * @param by the Lambda that does it, such as `process`
 * @returns whether this call advanced it; false: another writer was first
 */
export function advanceEvent(
  store: EventStore,
  event: KnownEvent,
  to: "processed" | "notified",
  { by, ...rest }: { by: string } & Learned,
): Promise<boolean> {
  return updateRow(store, event, {
    status: to,
    set: {
      ...changed(event, { status: to, function: by }),
      ...learned(rest),
    },
    expect: { event_status: predecessorsOf(to).map((status) => ({ S: status })) },
  });
}

/** How an event failed. */
export interface Failure extends Learned {
  /** The event's status before: it fails only if it still has that one. */
  from: EventStatus;
  error: EventError;
}

/**
 * Moves an event to `failed`, with no alarm published yet.
 *
 * @param expect further conditions, see `RowUpdate`
 * @returns whether this call moved it; false: another writer was first
 */
export function failEvent(
  store: EventStore,
  event: KnownEvent,
  { from, error, ...rest }: Failure,
  expect: RowUpdate["expect"] = {},
): Promise<boolean> {
  const expected = predecessorsOf("failed").filter((status) => status === from);
  const alarming = isAlarming(error.code);
  return updateRow(store, event, {
    status: "failed",
    set: {
      ...changed(event, { status: "failed", function: error.step, code: error.code }),
      last_error: { S: JSON.stringify(error) },
      failed_from: { S: from },
      ...learned(rest),
      ...(!alarming && { no_alarm: { BOOL: true } }),
    },
    remove: ["alarmed_at", "redelivered_at", ...(alarming ? ["no_alarm"] : [])],
    expect: { ...expect, event_status: expected.map((status) => ({ S: status })) },
  });
}

/**
 * Moves a `failed` event back to the status it failed from, and clears its failure.
 *
 * @param from the status it failed from
 * @param at ISO 8601. @default now
 * @returns whether this call moved it; false: the row has changed since it was read
 */
export async function retryFailed(
  store: CountedEventStore,
  event: KnownEvent,
  from: EventStatus,
  at?: string,
): Promise<boolean> {
  if (isLate(event)) {
    await reopenPeriod(store, event);
  }
  return updateRow(store, event, {
    status: from,
    set: changed({ ...event, attempts: undefined }, { status: from, function: "manager" }, at),
    remove: ["attempts", "last_error", "failed_from", "alarmed_at", "no_alarm", "redelivered_at"],
    expect: { event_status: [{ S: "failed" }], failed_from: [{ S: from }] },
  });
}

/**
 * Excludes a `failed` event from retries, because its file is about to be deleted.
 *
 * @returns whether it is still failed; false: it was retried or deleted
 */
export function preventRetry(store: EventStore, key: EventKey): Promise<boolean> {
  return updateRow(store, key, {
    set: {},
    remove: ["failed_from"],
    expect: { event_status: [{ S: "failed" }] },
  });
}

/**
 * Records that the alarm about this failure was published. An event that has failed again since has
 * a later `updated_at`, and gets its own alarm.
 *
 * @returns whether this call recorded it
 */
export function markAlarmed(store: EventStore, event: FileEvent): Promise<boolean> {
  return updateRow(store, event, {
    set: { alarmed_at: { S: now() } },
    expect: {
      event_status: [{ S: "failed" }],
      updated_at: [{ S: event.updated_at }],
      alarmed_at: [],
    },
  });
}
