import type { EventError, EventKey, EventResult, EventStatus, FileEvent } from "../events/event";
import { toMap } from "../events/item";
import { predecessorsOf } from "../events/transitions";
import { reopenPeriod } from "./counts/marks";
import { isLate } from "./counts/periods";
import type { CountedEventStore, EventStore } from "./eventStore";
import { type RowUpdate, updateRow } from "./updateRow";

function now() {
  return { S: new Date().toISOString() };
}

/**
 * Advances an event from any status that comes before `to`.
 *
 * @returns whether this call advanced it; false: another writer was first
 */
export function advanceEvent(
  store: EventStore,
  key: EventKey,
  to: "processed" | "notified",
  { event_result }: { event_result?: EventResult } = {},
): Promise<boolean> {
  return updateRow(store, key, {
    status: to,
    set: {
      updated_at: now(),
      ...(event_result && { event_result: toMap(event_result) }),
    },
    expect: { event_status: predecessorsOf(to).map((status) => ({ S: status })) },
  });
}

/** How an event failed. */
export interface Failure {
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
  key: EventKey,
  { from, error }: Failure,
  expect: RowUpdate["expect"] = {},
): Promise<boolean> {
  const expected = predecessorsOf("failed").filter((status) => status === from);
  return updateRow(store, key, {
    status: "failed",
    set: {
      updated_at: now(),
      last_error: { S: JSON.stringify(error) },
      failed_from: { S: from },
    },
    remove: ["alarmed_at"],
    expect: { ...expect, event_status: expected.map((status) => ({ S: status })) },
  });
}

/**
 * Moves a `failed` event back to the status it failed from, and clears its failure.
 *
 * @param from the status it failed from
 * @returns whether this call moved it; false: the row has changed since it was read
 */
export async function retryFailed(
  store: CountedEventStore,
  key: EventKey,
  from: EventStatus,
): Promise<boolean> {
  if (isLate(key)) {
    await reopenPeriod(store, key);
  }
  return updateRow(store, key, {
    status: from,
    set: { updated_at: now() },
    remove: ["attempts", "last_error", "failed_from", "alarmed_at"],
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
    set: { alarmed_at: now() },
    expect: {
      event_status: [{ S: "failed" }],
      updated_at: [{ S: event.updated_at }],
      alarmed_at: [],
    },
  });
}
