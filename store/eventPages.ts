import { QueryCommand } from "@aws-sdk/client-dynamodb";
import type { EventKey, EventStatus } from "../events/event";
import type { Item } from "../events/item";
import { partitionKey, partitionsOf } from "../events/partitions";
import { forEachOf } from "./eventIndex";
import type { EventStore } from "./eventStore";

/**
 * Events go through the statuses in this order, so that one which moves on while they are read is
 * found where it was or where it goes to. `failed` comes first besides: from there, a retry leads
 * back.
 */
const READING_ORDER: EventStatus[] = [
  "failed",
  "created",
  "uploaded",
  "processed",
  "failed",
  "notified",
];

/** Which events, and in which order. */
export interface EventsQuery {
  /** undefined: events of every status. */
  status?: EventStatus;
  /** The first `event_timestamp`, inclusive; ISO 8601, UTC, milliseconds. */
  from?: string;
  /** The last `event_timestamp`, exclusive; ISO 8601, UTC, milliseconds. */
  to?: string;
  /** By `event_timestamp`, and by `event_id` where that is the same; `desc`: both from the end. */
  order: "asc" | "desc";
}

/** A place in the order of the events; the event itself may have moved or be gone. */
export type Position = EventKey;

/** A part of the events that a query asks for. */
export interface EventPage {
  /** The rows as they are: they may well be broken. */
  items: Item[];
  /** Of the last item; absent when nothing follows. */
  next?: Position;
}

/** What every partition of the index is asked for. */
interface Reading {
  order: EventsQuery["order"];
  /** The first and the last `event_timestamp`, both inclusive. */
  lower?: string;
  upper?: string;
  limit: number;
  after?: Position;
}

function positionOf(item: Item | undefined): Position {
  return {
    event_timestamp: item?.event_timestamp?.S ?? "",
    event_id: item?.event_id?.S ?? "",
  };
}

function compareText(a: string, b: string): number {
  if (a === b) {
    return 0;
  }
  return a < b ? -1 : 1;
}

/** Negative: `a` comes before `b`. */
function comparePositions(order: EventsQuery["order"], a: Position, b: Position): number {
  const ascending =
    compareText(a.event_timestamp, b.event_timestamp) || compareText(a.event_id, b.event_id);
  return order === "asc" ? ascending : -ascending;
}

function readingOf(query: EventsQuery, limit: number, after?: Position): Reading {
  const { order, from, to } = query;
  // A key takes one condition only, and BETWEEN includes both ends.
  const last = to && new Date(Date.parse(to) - 1).toISOString();
  const start = after?.event_timestamp;
  return order === "asc"
    ? { order, limit, after, lower: start ?? from, upper: last }
    : { order, limit, after, lower: from, upper: start ?? last };
}

function isEmpty({ lower, upper }: Reading): boolean {
  return lower !== undefined && upper !== undefined && lower > upper;
}

function keyCondition(key: string, partition: string, { lower, upper }: Reading) {
  const times = {
    ...(lower !== undefined && { ":lower": { S: lower } }),
    ...(upper !== undefined && { ":upper": { S: upper } }),
  };
  let condition = "";
  if (lower !== undefined && upper !== undefined) {
    condition = " AND event_timestamp BETWEEN :lower AND :upper";
  } else if (lower !== undefined) {
    condition = " AND event_timestamp >= :lower";
  } else if (upper !== undefined) {
    condition = " AND event_timestamp <= :upper";
  }
  return {
    KeyConditionExpression: `${key} = :partition${condition}`,
    ExpressionAttributeValues: { ":partition": { S: partition }, ...times },
  };
}

/** What one partition of the index has given so far. */
interface PartitionRead {
  partition: string;
  /** In DynamoDB's order. */
  items: Item[];
  /** The key to go on after. */
  next?: Record<string, { S: string }>;
  isAtEnd: boolean;
}

function timeOf(item: Item | undefined): string {
  return positionOf(item).event_timestamp;
}

/** Reads this many more rows of a partition, or what DynamoDB gives of them at once. */
async function readOn(
  { dynamo, tableName, statusShards }: EventStore,
  reading: Reading,
  read: PartitionRead,
  rows: number,
): Promise<void> {
  const page = await dynamo.send(
    new QueryCommand({
      TableName: tableName,
      IndexName: "time-index",
      ...keyCondition(partitionKey(statusShards), read.partition, reading),
      ScanIndexForward: reading.order === "asc",
      Limit: rows,
      ExclusiveStartKey: read.next,
    }),
  );
  read.items.push(...((page.Items ?? []) as Item[]));
  read.next = page.LastEvaluatedKey as PartitionRead["next"];
  read.isAtEnd = read.next === undefined;
}

/** How many rows have the last time so far: as many again may well follow, thousands of them too. */
function tied({ items }: PartitionRead): number {
  const last = timeOf(items.at(-1));
  return items.filter((item) => timeOf(item) === last).length;
}

/**
 * Whether no other row of the partition can be among the first `limit`. Rows of the same time come
 * in any order, so the last time that is needed has to be read to its end.
 *
 * @param found of all the status's partitions, sorted
 */
function isFarEnough(
  { items, isAtEnd }: PartitionRead,
  found: Item[],
  { order, limit }: Reading,
): boolean {
  if (isAtEnd || items.length === 0 || found.length <= limit) {
    return isAtEnd;
  }
  const later = compareText(timeOf(items.at(-1)), timeOf(found[limit - 1]));
  return order === "asc" ? later > 0 : later < 0;
}

/**
 * Reads a status's first `limit` rows, and one more at least if there is one. Each partition is
 * asked for its share of them first, and for more only where they lie elsewhere than expected.
 *
 * @returns in order
 */
async function readStatus(
  store: EventStore,
  status: EventStatus,
  reading: Reading,
): Promise<Item[]> {
  const { order, limit, after } = reading;
  const partitions = partitionsOf(status, store.statusShards).map<PartitionRead>((partition) => ({
    partition,
    items: [],
    isAtEnd: false,
  }));
  // Two standard deviations of what a shard has of the first rows; and the row of the position
  // itself is read once more.
  const spread = partitions.length === 1 ? 0 : 2 * Math.sqrt((limit + 1) / partitions.length);
  const margin = Math.ceil(spread) + (after ? 1 : 0);
  let found: Item[] = [];
  let behind = partitions;
  do {
    const missing = Math.max(0, limit + 1 - found.length);
    const share = Math.ceil(missing / behind.length) + margin;
    await forEachOf(behind, (read) => readOn(store, reading, read, Math.max(share, tied(read))));
    found = partitions
      .flatMap(({ items }) => items)
      .filter((item) => !after || comparePositions(order, after, positionOf(item)) < 0)
      .sort((a, b) => comparePositions(order, positionOf(a), positionOf(b)));
    behind = partitions.filter((read) => !isFarEnough(read, found, reading));
  } while (behind.length > 0);
  return found;
}

/**
 * Reads a page of events from the index, which follows the table within moments. Each event that
 * is there all the time is in exactly one page of a walk, also if its status changes meanwhile
 * (without `status`), and however many events there are of one time. A page has `limit` rows
 * whenever that many are left; what it costs depends on `limit` and on how many events share a
 * time, not on the size of the table.
 *
 * @param limit rows; 1 at least
 * @param after where the page before ended: `next` of a page of this very query
 */
export async function eventPage(
  store: EventStore,
  query: EventsQuery,
  limit: number,
  after?: Position,
): Promise<EventPage> {
  const reading = readingOf(query, limit, after);
  if (isEmpty(reading)) {
    return { items: [] };
  }
  const found = new Map<string, Item>();
  for (const status of query.status ? [query.status] : READING_ORDER) {
    for (const item of await readStatus(store, status, reading)) {
      const { event_timestamp, event_id } = positionOf(item);
      // An event that moved in between is read twice, the second time as it is now.
      found.set(`${event_timestamp} ${event_id}`, item);
    }
  }
  const items = [...found.values()]
    .sort((a, b) => comparePositions(query.order, positionOf(a), positionOf(b)))
    .slice(0, limit);
  return { items, ...(found.size > limit && { next: positionOf(items.at(-1)) }) };
}
