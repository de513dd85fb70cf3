import { QueryCommand } from "@aws-sdk/client-dynamodb";
import type { EventKey, EventStatus } from "../events/event";
import { partitionKey, partitionsOf } from "../events/partitions";
import { forEachConcurrently } from "../runtime/streamBatch";
import type { EventStore } from "./eventStore";
import { periodOf } from "./periods";

/** Queries that are under way at the same time. */
const CONCURRENCY = 16;

/** The parts that a range is counted in whose rows do not fit one page. */
const PARTS = 16;

/** Sort before and after every `event_timestamp`, and every period. */
export const BEGINNING = "0";
export const END = "~";

/** `event_timestamp`s, or what they begin with; both ends inclusive. */
export interface TimeRange {
  from: string;
  to: string;
}

/** Sorts after all that begins with the prefix, and before all that comes later. */
export function endOf(prefix: string): string {
  return `${prefix}${END}`;
}

/** A range of one of the index's partitions. */
interface Part extends TimeRange {
  partition: string;
  /** The key to go on after. */
  next?: PageKey;
}

type PageKey = Record<string, { S: string }>;

/** Calls `work` for each item, several at a time. @throws the first error, after all others ran */
export async function forEachOf<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const failures = await forEachConcurrently(items, CONCURRENCY, work);
  if (failures[0]) {
    throw failures[0].error;
  }
}

/** As `forEachOf`. @returns what the work gave, in the order of the items */
async function mapOf<T, R>(items: T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  await forEachOf([...items.entries()], async ([index, item]) => {
    results[index] = await work(item);
  });
  return results;
}

function queryOf({ tableName, statusShards }: EventStore, { partition, from, to, next }: Part) {
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

async function outermost(
  store: EventStore,
  part: Part,
  end: "first" | "last",
): Promise<EventKey | undefined> {
  const { Items: items } = await store.dynamo.send(
    new QueryCommand({
      ...queryOf(store, part),
      ProjectionExpression: "event_id, event_timestamp",
      ScanIndexForward: end === "first",
      Limit: 1,
    }),
  );
  const item = items?.[0];
  return (
    item && { event_id: item.event_id?.S ?? "", event_timestamp: item.event_timestamp?.S ?? "" }
  );
}

/** The oldest event of a status; undefined where there is none. */
export async function oldestEvent(
  store: EventStore,
  status: EventStatus,
): Promise<EventKey | undefined> {
  const keys = await mapOf(partitionsOf(status, store.statusShards), (partition) =>
    outermost(store, { partition, from: BEGINNING, to: END }, "first"),
  );
  return keys
    .filter((key) => key !== undefined)
    .reduce<EventKey | undefined>(
      (oldest, key) => (oldest && oldest.event_timestamp <= key.event_timestamp ? oldest : key),
      undefined,
    );
}

async function countPage(store: EventStore, part: Part) {
  const page = await store.dynamo.send(
    new QueryCommand({ ...queryOf(store, part), Select: "COUNT" }),
  );
  return { count: page.Count ?? 0, next: page.LastEvaluatedKey as PageKey | undefined };
}

/** What is left of a part after its first page, in parts that can be counted at the same time. */
async function splitRest(store: EventStore, part: Part, next: PageKey): Promise<Part[]> {
  const rest = { ...part, next };
  // Not from the key on: backwards, that leads to what was counted.
  const last = await outermost(store, part, "last");
  const start = Date.parse(next.event_timestamp?.S ?? "");
  const length = Date.parse(last?.event_timestamp ?? "") - start;
  if (!(length > 0)) {
    return [rest];
  }
  // Between two timestamps, so that no row is in two parts.
  const cuts = Array.from({ length: PARTS - 1 }, (_, index) =>
    endOf(new Date(start + (length * (index + 1)) / PARTS).toISOString()),
  );
  return [...cuts, part.to].map((to, index) => {
    const from = cuts[index - 1];
    return from === undefined ? { ...rest, to } : { ...part, from, to };
  });
}

/**
 * Counts the events of a status.
 *
 * @returns how many there are in each of the ranges
 */
export async function countEventsIn(
  store: EventStore,
  status: EventStatus,
  ranges: TimeRange[],
): Promise<number[]> {
  const counts = ranges.map(() => 0);
  const rest: (Part & { index: number })[] = [];
  const add = (index: number, count: number) => {
    counts[index] = (counts[index] ?? 0) + count;
  };
  const parts = ranges.flatMap(({ from, to }, index) =>
    partitionsOf(status, store.statusShards).map((partition) => ({ partition, from, to, index })),
  );
  await forEachOf(parts, async ({ index, ...part }) => {
    const { count, next } = await countPage(store, part);
    add(index, count);
    if (next) {
      const split = await splitRest(store, part, next);
      rest.push(...split.map((each) => ({ ...each, index })));
    }
  });
  await forEachOf(rest, async ({ index, ...part }) => {
    let next = part.next;
    do {
      const page = await countPage(store, { ...part, next });
      add(index, page.count);
      next = page.next;
    } while (next);
  });
  return counts;
}

/** What was found of the periods that have events. */
export interface FoundPeriods {
  /** In order of time. */
  periods: string[];
  /** The period up to which there are no others. */
  upTo: string;
}

/**
 * Finds the periods in which an event has one of the statuses. It jumps from each to the next one:
 * neither many events in a period nor many periods without any make it slow.
 *
 * @param after the period before the first one to be looked at
 * @param upTo the last one to be looked at
 * @param goesOn whether there is time to look at one more, after so many were found
 */
export async function findPeriods(
  store: EventStore,
  statuses: readonly EventStatus[],
  { after, upTo }: { after: string; upTo: string },
  goesOn: (found: number) => boolean,
): Promise<FoundPeriods> {
  const periods: string[] = [];
  if (upTo <= after) {
    return { periods, upTo: after };
  }
  const firstAfter = async (partition: string, period: string) => {
    const part = { partition, from: endOf(period), to: endOf(upTo) };
    const event = await outermost(store, part, "first");
    return event && { partition, period: periodOf(event) };
  };
  const present = <T>(found: (T | undefined)[]) => found.filter((each) => each !== undefined);
  const partitions = statuses.flatMap((status) => partitionsOf(status, store.statusShards));
  let heads = present(await mapOf(partitions, (partition) => firstAfter(partition, after)));
  while (heads.length > 0) {
    if (!goesOn(periods.length)) {
      return { periods, upTo: periods.at(-1) ?? after };
    }
    const first = heads.reduce((a, b) => (b.period < a.period ? b : a)).period;
    periods.push(first);
    heads = present(
      await mapOf(heads, (head) =>
        head.period === first ? firstAfter(head.partition, first) : Promise.resolve(head),
      ),
    );
  }
  return { periods, upTo };
}
