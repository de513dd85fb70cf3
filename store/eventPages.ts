import { QueryCommand } from "@aws-sdk/client-dynamodb";
import type { EventKey, EventStatus, FileEvent } from "../events/event";
import { rowName } from "../events/identity";
import { fromItem, type Item, keyOf } from "../events/item";
import { partitionKey, partitionsOf } from "../events/partitions";
import { forEachOrThrow } from "../runtime/concurrency";
import type { EventStore } from "./eventStore";
import type { PageKey } from "./timeIndex";

/**
 * The order of the pipeline, so that an event that advances meanwhile is found in its old or its
 * new status. `failed` is read first as well: a retry moves events from there to an earlier status.
 */
const READING_ORDER: EventStatus[] = [
  "failed",
  "created",
  "uploaded",
  "processed",
  "failed",
  "notified",
];

/** Selects events, and their order. */
export interface EventsQuery {
  /** undefined: events of every status. */
  status?: EventStatus;
  /** undefined: events of any link, and of none. */
  linkId?: string;
  /** The first `event_timestamp`, inclusive; ISO 8601, UTC, milliseconds. */
  from?: string;
  /** The last `event_timestamp`, exclusive; ISO 8601, UTC, milliseconds. */
  to?: string;
  /** By `event_timestamp`, then by `event_id`; `desc` reverses both. */
  order: "asc" | "desc";
}

/** A place in the order of the events. The event itself need not exist. */
export type Position = EventKey;

/** A row of a page. */
export interface EventRow {
  position: Position;
  /** undefined: the row is not an event, as `error` says. */
  event: FileEvent | undefined;
  error?: unknown;
}

/** A page of the events that a query selects. */
export interface EventPage {
  rows: EventRow[];
  /** The position of the last row; absent: this is the last page. */
  next?: Position;
}

/** What is read from each partition of the index. */
interface Reading {
  order: EventsQuery["order"];
  /** The first and the last `event_timestamp`, both inclusive. */
  lower?: string;
  upper?: string;
  limit: number;
  after?: Position;
}

function rowOf(item: Item): EventRow {
  const position = keyOf(item);
  try {
    return { position, event: fromItem(item) };
  } catch (error) {
    return { position, event: undefined, error };
  }
}

function compareText(a: string, b: string): number {
  if (a === b) {
    return 0;
  }
  return a < b ? -1 : 1;
}

/** Negative: `a` is before `b`. */
function comparePositions(order: EventsQuery["order"], a: Position, b: Position): number {
  const ascending =
    compareText(a.event_timestamp, b.event_timestamp) || compareText(a.event_id, b.event_id);
  return order === "asc" ? ascending : -ascending;
}

function readingOf(query: EventsQuery, limit: number, after?: Position): Reading {
  const { order, from, to } = query;
  // DynamoDB allows one condition on a sort key, and BETWEEN includes both ends.
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

/** Partitions of an index that together have what a query selects. */
interface Source {
  index: string;
  /** The index's hash key. */
  key: string;
  partitions: string[];
  /** Only rows of this status count. */
  filter?: EventStatus;
}

/** Rows of a query with a filter: what it leaves out costs no further request. */
const FILTERED_ROWS = 1000;

/** Where the events of a status are. */
function statusSource({ statusShards }: EventStore, status: EventStatus): Source {
  return {
    index: "time-index",
    key: partitionKey(statusShards),
    partitions: partitionsOf(status, statusShards),
  };
}

/** In the order in which they have to be read. */
function sourcesOf(store: EventStore, { status, linkId }: EventsQuery): Source[] {
  if (linkId !== undefined) {
    return [{ index: "link-index", key: "link_id", partitions: [linkId], filter: status }];
  }
  return (status ? [status] : READING_ORDER).map((each) => statusSource(store, each));
}

/** What was read from one partition of the index so far. */
interface PartitionRead {
  partition: string;
  /** In DynamoDB's order. */
  items: Item[];
  next?: PageKey;
  isAtEnd: boolean;
}

function timeOf(item: Item | undefined): string {
  return item?.event_timestamp?.S ?? "";
}

/** Reads up to this many more rows of a partition, in one request. */
async function readMore(
  { dynamo, tableName }: EventStore,
  { index, key, filter }: Source,
  reading: Reading,
  read: PartitionRead,
  rows: number,
): Promise<void> {
  const condition = keyCondition(key, read.partition, reading);
  const page = await dynamo.send(
    new QueryCommand({
      TableName: tableName,
      IndexName: index,
      ...condition,
      ...(filter && {
        FilterExpression: "event_status = :status",
        ExpressionAttributeValues: {
          ...condition.ExpressionAttributeValues,
          ":status": { S: filter },
        },
      }),
      ScanIndexForward: reading.order === "asc",
      Limit: filter ? Math.max(rows, FILTERED_ROWS) : rows,
      ExclusiveStartKey: read.next,
    }),
  );
  read.items.push(...((page.Items ?? []) as Item[]));
  read.next = page.LastEvaluatedKey as PartitionRead["next"];
  read.isAtEnd = read.next === undefined;
}

/** The number of rows that have the last time: as many more may follow. */
function countTies({ items }: PartitionRead): number {
  const last = timeOf(items.at(-1));
  return items.filter((item) => timeOf(item) === last).length;
}

/**
 * Whether no unread row of the partition can be among the first `limit`. Rows of the same time have
 * no order in the index, so all rows of the last time needed must be read.
 *
 * @param found of all partitions of the source, sorted
 */
function isComplete(
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
 * Reads the first `limit` rows of a source, and at least one more if there is one. Each partition is
 * first read for its expected share, then for more where needed.
 *
 * @returns in order
 */
async function readSource(store: EventStore, source: Source, reading: Reading): Promise<Item[]> {
  const { order, limit, after } = reading;
  const partitions = source.partitions.map<PartitionRead>((partition) => ({
    partition,
    items: [],
    isAtEnd: false,
  }));
  // Two standard deviations of a shard's share, and the row at `after`, which is read again.
  const spread = partitions.length === 1 ? 0 : 2 * Math.sqrt((limit + 1) / partitions.length);
  const margin = Math.ceil(spread) + (after ? 1 : 0);
  let found: Item[] = [];
  let incomplete = partitions;
  do {
    const missing = Math.max(0, limit + 1 - found.length);
    const share = Math.ceil(missing / incomplete.length) + margin;
    await forEachOrThrow(incomplete, (read) =>
      readMore(store, source, reading, read, Math.max(share, countTies(read))),
    );
    found = partitions
      .flatMap(({ items }) => items)
      .filter((item) => !after || comparePositions(order, after, keyOf(item)) < 0)
      .sort((a, b) => comparePositions(order, keyOf(a), keyOf(b)));
    incomplete = partitions.filter((read) => !isComplete(read, found, reading));
  } while (incomplete.length > 0);
  return found;
}

/**
 * Reads a page of events from the index, which is eventually consistent. Over a sequence of pages,
 * every event that exists throughout is in exactly one page, for any number of events of one time,
 * and without `status` also if its status changes meanwhile. A page has `limit` rows if that many
 * are left; its cost depends on `limit` and on how many events share a time, not on the table's
 * size.
 *
 * @param limit rows; at least 1
 * @param after `next` of the page before, of the same query
 */
export async function eventPage(
  store: EventStore,
  query: EventsQuery,
  limit: number,
  after?: Position,
): Promise<EventPage> {
  const reading = readingOf(query, limit, after);
  if (isEmpty(reading)) {
    return { rows: [] };
  }
  const found = new Map<string, Item>();
  for (const source of sourcesOf(store, query)) {
    for (const item of await readSource(store, source, reading)) {
      // An event that advanced meanwhile is read twice; the later read has its current status.
      found.set(rowName(keyOf(item)), item);
    }
  }
  const rows = [...found.values()]
    .sort((a, b) => comparePositions(query.order, keyOf(a), keyOf(b)))
    .slice(0, limit)
    .map(rowOf);
  return { rows, ...(found.size > limit && { next: rows.at(-1)?.position }) };
}
