import { QueryCommand } from "@aws-sdk/client-dynamodb";
import type { EventError, EventKey, EventStatus, HistoryEntry } from "../events/event";
import { withEntry } from "../events/history";
import { fromHistoryList, type Item, keyItem, keyOf, toHistoryList } from "../events/item";
import { partitionKey, partitionsOf } from "../events/partitions";
import type { EventStore } from "./eventStore";
import type { Redeliverable } from "./redelivery/decision";
import { type PageKey, rangeQuery } from "./timeIndex";
import { BEGINNING } from "./timeRange";
import { failEvent } from "./transitions";
import { updateRow } from "./updateRow";

/** An unfinished event, or a failed one whose alarm is missing. Its row may otherwise be invalid. */
export interface StuckEvent extends Redeliverable {
  history: HistoryEntry[] | undefined;
  /** The key after which the index continues behind the event. */
  place: PageKey;
}

/** One of the index's partitions, and the status of its events. */
export interface StatusPartition {
  status: EventStatus;
  partition: string;
}

/** The partitions of events in these statuses. */
export function partitionsIn(
  { statusShards }: EventStore,
  statuses: readonly EventStatus[],
): StatusPartition[] {
  return statuses.flatMap((status) =>
    partitionsOf(status, statusShards).map((partition) => ({ status, partition })),
  );
}

/** A page of stuck events, oldest first. */
export interface StuckPage {
  events: StuckEvent[];
  /** Bytes that DynamoDB has read for it. */
  bytes: number;
  /** undefined: this is the last page. */
  next: PageKey | undefined;
}

/** Which events are read; ISO 8601. */
export interface StuckTimes {
  /** First `event_timestamp`. @default all times */
  after?: string;
  /** Last `event_timestamp`: no later one can be redelivered now. */
  upTo: string;
  /** Last change. */
  before: string;
}

/** An eventually consistent query reads 8 kB for each read unit. */
const BYTES_OF_UNIT = 8192;

/**
 * Reads events that are unchanged since a time, and where they are failed, with an alarm to publish.
 *
 * @param next of the page before
 */
export async function readStuckEvents(
  store: EventStore,
  { status, partition }: StatusPartition,
  { after = BEGINNING, upTo, before }: StuckTimes,
  next: PageKey | undefined,
): Promise<StuckPage> {
  const unalarmed =
    status === "failed"
      ? " AND attribute_not_exists(alarmed_at) AND attribute_not_exists(no_alarm)"
      : "";
  const query = rangeQuery(store, { partition, from: after, to: upTo, next });
  const page = await store.dynamo.send(
    new QueryCommand({
      ...query,
      FilterExpression: `updated_at < :before${unalarmed}`,
      ProjectionExpression:
        "event_id, event_timestamp, attempts, updated_at, redelivered_at, event_history",
      ExpressionAttributeValues: { ...query.ExpressionAttributeValues, ":before": { S: before } },
      ReturnConsumedCapacity: "TOTAL",
    }),
  );
  const items = (page.Items ?? []) as Item[];
  return {
    events: items.map((item) => stuckEvent(store, { status, partition }, item)),
    bytes: (page.ConsumedCapacity?.CapacityUnits ?? 0) * BYTES_OF_UNIT,
    next: page.LastEvaluatedKey as PageKey | undefined,
  };
}

function stuckEvent(
  { statusShards }: EventStore,
  { status, partition }: StatusPartition,
  item: Item,
): StuckEvent {
  const key = keyOf(item);
  return {
    key,
    status,
    attempts: Number(item.attempts?.N ?? 0),
    updated_at: item.updated_at?.S ?? "",
    redelivered_at: item.redelivered_at?.S,
    history: fromHistoryList(item.event_history),
    place: { ...keyItem(key), [partitionKey(statusShards)]: { S: partition } },
  };
}

/** A condition by which the row is changed only as it was read. */
function asRead({ status, attempts, updated_at, redelivered_at }: StuckEvent) {
  return {
    event_status: [{ S: status }],
    updated_at: [{ S: updated_at }],
    ...(attempts > 0 && { attempts: [{ N: String(attempts) }] }),
    ...(status === "failed" && {
      alarmed_at: [],
      redelivered_at: redelivered_at === undefined ? [] : [{ S: redelivered_at }],
    }),
  };
}

/**
 * Writes the row, which creates a stream record: the event is delivered to its Lambda again.
 *
 * @param at ISO 8601; of the redelivery
 * @param counts whether it is an attempt
 * @returns whether this call changed the row; false: it has changed since it was read
 */
export function redeliver(
  store: EventStore,
  event: StuckEvent,
  { at, counts }: { at: string; counts: boolean },
): Promise<boolean> {
  const attempt = event.attempts + (counts ? 1 : 0);
  const entry = { status: event.status, time: at, function: "sweep", attempt };
  return updateRow(store, event.key, {
    set: {
      ...(attempt > 0 && { attempts: { N: String(attempt) } }),
      event_history: toHistoryList(withEntry(event.history, entry)),
      // For a failed event, `updated_at` is the time of the failure.
      [event.status === "failed" ? "redelivered_at" : "updated_at"]: { S: at },
    },
    expect: asRead(event),
  });
}

/** As `failEvent`, unless the event has changed since it was read. */
export function failStuckEvent(
  store: EventStore,
  event: StuckEvent,
  error: EventError,
): Promise<boolean> {
  const { key, attempts, history, status } = event;
  const known: EventKey & { attempts?: number; event_history?: HistoryEntry[] } = {
    ...key,
    ...(attempts > 0 && { attempts }),
    event_history: history,
  };
  return failEvent(store, known, { from: status, error }, asRead(event));
}
