import { QueryCommand } from "@aws-sdk/client-dynamodb";
import type { EventKey, EventStatus } from "../events/event";
import type { AttributeValue, Item } from "../events/item";
import type { EventStore } from "./eventStore";
import { partitionsOf } from "./partitions";

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

function keyCondition(partition: string, { lower, upper }: Reading) {
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
    KeyConditionExpression: `event_status = :partition${condition}`,
    ExpressionAttributeValues: { ":partition": { S: partition }, ...times },
  };
}

/**
 * How many rows of a partition are still to be read, in DynamoDB's order, until it is certain which
 * ones are the first `limit`, and that another one follows. Rows of the same time come in any
 * order, so the last time that is needed has to be read to its end.
 */
function rowsToRead(read: Item[], found: Item[], limit: number): number {
  const missing = limit + 1 - found.length;
  const { event_timestamp } = positionOf(read.at(-1));
  if (missing <= 0 && event_timestamp !== positionOf(found[limit - 1]).event_timestamp) {
    return 0;
  }
  // As many again as have the same time so far: thousands of them do not take hundreds of requests.
  const tied = read.filter((item) => positionOf(item).event_timestamp === event_timestamp);
  return Math.max(missing, tied.length);
}

/** Reads a partition's first `limit` rows, and one more at least if there is one, in any order. */
async function readPartition(
  { dynamo, tableName }: EventStore,
  partition: string,
  reading: Reading,
): Promise<Item[]> {
  const { order, limit, after } = reading;
  const read: Item[] = [];
  let found: Item[] = [];
  // The row of the position itself is read once more.
  let missing = after ? limit + 2 : limit + 1;
  let next: Record<string, AttributeValue> | undefined;
  do {
    const page = await dynamo.send(
      new QueryCommand({
        TableName: tableName,
        IndexName: "time-index",
        ...keyCondition(partition, reading),
        ScanIndexForward: order === "asc",
        Limit: missing,
        ExclusiveStartKey: next as Record<string, { S: string }> | undefined,
      }),
    );
    read.push(...((page.Items ?? []) as Item[]));
    found = after
      ? read.filter((item) => comparePositions(order, after, positionOf(item)) < 0)
      : read;
    missing = rowsToRead(read, found, limit);
    next = page.LastEvaluatedKey;
  } while (next && missing > 0);
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
    const partitions = await Promise.all(
      partitionsOf(status).map((partition) => readPartition(store, partition, reading)),
    );
    for (const item of partitions.flat()) {
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
