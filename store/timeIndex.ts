import { QueryCommand } from "@aws-sdk/client-dynamodb";
import type { EventKey, EventStatus } from "../events/event";
import { keyOf } from "../events/item";
import { partitionKey, partitionsOf } from "../events/partitions";
import { mapConcurrently } from "../runtime/concurrency";
import type { EventStore } from "./eventStore";
import { BEGINNING, END, type TimeRange } from "./timeRange";

/** DynamoDB's `LastEvaluatedKey`. */
export type PageKey = Record<string, { S: string }>;

/** A range of one of the index's partitions. */
export interface IndexRange extends TimeRange {
  partition: string;
  /** The key after which to continue. */
  next?: PageKey;
}

/** The input of a query over the range. */
export function rangeQuery(
  { tableName, statusShards }: EventStore,
  { partition, from, to, next }: IndexRange,
) {
  const key = partitionKey(statusShards);
  return {
    TableName: tableName,
    IndexName: "time-index",
    KeyConditionExpression: `${key} = :partition AND event_timestamp BETWEEN :from AND :to`,
    ExpressionAttributeValues: {
      ":partition": { S: partition },
      ":from": { S: from },
      ":to": { S: to },
    },
    ExclusiveStartKey: next,
  };
}

async function readOne(
  store: EventStore,
  range: IndexRange,
  isForward: boolean,
): Promise<EventKey | undefined> {
  const { Items: items } = await store.dynamo.send(
    new QueryCommand({
      ...rangeQuery(store, range),
      ProjectionExpression: "event_id, event_timestamp",
      ScanIndexForward: isForward,
      Limit: 1,
    }),
  );
  const item = items?.[0];
  return item && keyOf(item);
}

/** The oldest event in the range; undefined: there is none. */
export function firstEvent(store: EventStore, range: IndexRange): Promise<EventKey | undefined> {
  return readOne(store, range, true);
}

/** The newest event in the range; undefined: there is none. */
export function lastEvent(store: EventStore, range: IndexRange): Promise<EventKey | undefined> {
  return readOne(store, range, false);
}

/** The oldest event of a status; undefined: there is none. */
export async function oldestEvent(
  store: EventStore,
  status: EventStatus,
): Promise<EventKey | undefined> {
  const keys = await mapConcurrently(partitionsOf(status, store.statusShards), (partition) =>
    firstEvent(store, { partition, from: BEGINNING, to: END }),
  );
  return keys
    .filter((key) => key !== undefined)
    .reduce<EventKey | undefined>(
      (oldest, key) => (oldest && oldest.event_timestamp <= key.event_timestamp ? oldest : key),
      undefined,
    );
}
