import { QueryCommand } from "@aws-sdk/client-dynamodb";
import type { EventError, EventKey, EventStatus, HistoryEntry } from "../events/event";
import { withEntry } from "../events/history";
import { fromHistoryList, type Item, keyOf, toHistoryList } from "../events/item";
import { partitionsOf } from "../events/partitions";
import { predecessorsOf } from "../events/transitions";
import type { EventStore } from "./eventStore";
import { type PageKey, rangeQuery } from "./timeIndex";
import { BEGINNING } from "./timeRange";
import { failEvent } from "./transitions";
import { updateRow } from "./updateRow";

/** An unfinished event, or a failed one whose alarm is missing. Its row may otherwise be invalid. */
export interface StuckEvent {
  key: EventKey;
  status: EventStatus;
  /** undefined: never redelivered. */
  attempts: number | undefined;
  history: HistoryEntry[] | undefined;
}

/** One of the index's partitions, and the status of its events. */
export interface StatusPartition {
  status: EventStatus;
  partition: string;
}

/** The partitions that may have stuck events: of unfinished events, then of failed ones. */
export function stuckPartitions({ statusShards }: EventStore): StatusPartition[] {
  const statuses: EventStatus[] = [...predecessorsOf("failed"), "failed"];
  return statuses.flatMap((status) =>
    partitionsOf(status, statusShards).map((partition) => ({ status, partition })),
  );
}

/** A page of stuck events, oldest first. */
export interface StuckPage {
  events: StuckEvent[];
  /** undefined: this is the last page. */
  next: PageKey | undefined;
}

/**
 * Reads stuck events: unchanged since `before`, and where they are failed, with an alarm to publish.
 *
 * @param times ISO 8601; of events from `after` on @default all times
 * @param next of the page before
 */
export async function readStuckEvents(
  store: EventStore,
  { status, partition }: StatusPartition,
  { after = BEGINNING, before }: { after?: string; before: string },
  next: PageKey | undefined,
): Promise<StuckPage> {
  const unalarmed =
    status === "failed"
      ? " AND attribute_not_exists(alarmed_at) AND attribute_not_exists(no_alarm)"
      : "";
  const page = await store.dynamo.send(
    new QueryCommand({
      ...rangeQuery(store, { partition, from: after, to: before, next }),
      FilterExpression: `updated_at < :to${unalarmed}`,
    }),
  );
  const items = (page.Items ?? []) as Item[];
  return {
    events: items.map((item) => ({
      key: keyOf(item),
      status,
      attempts: item.attempts?.N === undefined ? undefined : Number(item.attempts.N),
      history: fromHistoryList(item.event_history),
    })),
    next: page.LastEvaluatedKey as PageKey | undefined,
  };
}

/** A condition by which concurrent sweepers count an attempt once. */
function sameAttempts({ attempts }: StuckEvent) {
  return { attempts: attempts === undefined ? [] : [{ N: String(attempts) }] };
}

/**
 * Increments the event's `attempts`. The change creates a stream record, which delivers the event
 * to its Lambda again.
 *
 * @returns whether this call changed the row; false: it has changed since it was read
 */
export function countAttempt(store: EventStore, event: StuckEvent): Promise<boolean> {
  const isFailed = event.status === "failed";
  const attempt = (event.attempts ?? 0) + 1;
  const time = new Date().toISOString();
  const entry = { status: event.status, time, function: "sweep", attempt };
  return updateRow(store, event.key, {
    set: {
      attempts: { N: String(attempt) },
      event_history: toHistoryList(withEntry(event.history, entry)),
      // For a failed event, it is the time of the failure.
      ...(!isFailed && { updated_at: { S: time } }),
    },
    expect: {
      ...sameAttempts(event),
      ...(isFailed && { alarmed_at: [] }),
      event_status: [{ S: event.status }],
    },
  });
}

/** As `failEvent`, unless the event was redelivered since it was read. */
export function failStuckEvent(
  store: EventStore,
  event: StuckEvent,
  error: EventError,
): Promise<boolean> {
  const { key, attempts, history, status } = event;
  const known = { ...key, attempts, event_history: history };
  return failEvent(store, known, { from: status, error }, sameAttempts(event));
}
