import { QueryCommand } from "@aws-sdk/client-dynamodb";
import type { EventStatus } from "../../events/event";
import { partitionsOf } from "../../events/partitions";
import { forEachOrThrow } from "../../runtime/concurrency";
import type { EventStore } from "../eventStore";
import { type IndexRange, lastEvent, type PageKey, rangeQuery } from "../timeIndex";
import { endOf, type TimeRange } from "../timeRange";

/** Parts in which the rest of a range is counted whose rows do not fit one page. */
const PARTS = 16;

async function countPage(store: EventStore, range: IndexRange) {
  const page = await store.dynamo.send(
    new QueryCommand({ ...rangeQuery(store, range), Select: "COUNT" }),
  );
  return { count: page.Count ?? 0, next: page.LastEvaluatedKey as PageKey | undefined };
}

/** Splits the rest of a range, after its first page, into parts to be counted concurrently. */
async function splitRest(
  store: EventStore,
  range: IndexRange,
  next: PageKey,
): Promise<IndexRange[]> {
  const rest = { ...range, next };
  // Of the whole range: with a start key, a backward query would return the rows before it.
  const last = await lastEvent(store, range);
  const start = Date.parse(next.event_timestamp?.S ?? "");
  const length = Date.parse(last?.event_timestamp ?? "") - start;
  if (!(length > 0)) {
    return [rest];
  }
  // Cuts lie between two timestamps, so that no row is in two parts.
  const cuts = Array.from({ length: PARTS - 1 }, (_, index) =>
    endOf(new Date(start + (length * (index + 1)) / PARTS).toISOString()),
  );
  return [...cuts, range.to].map((to, index) => {
    const from = cuts[index - 1];
    return from === undefined ? { ...rest, to } : { ...range, from, to };
  });
}

/**
 * Counts the events of a status.
 *
 * @returns the number of events in each of the ranges
 */
export async function countEventsIn(
  store: EventStore,
  status: EventStatus,
  ranges: TimeRange[],
): Promise<number[]> {
  const counts = ranges.map(() => 0);
  const rest: (IndexRange & { index: number })[] = [];
  const add = (index: number, count: number) => {
    counts[index] = (counts[index] ?? 0) + count;
  };
  const parts = ranges.flatMap(({ from, to }, index) =>
    partitionsOf(status, store.statusShards).map((partition) => ({ partition, from, to, index })),
  );
  await forEachOrThrow(parts, async ({ index, ...part }) => {
    const { count, next } = await countPage(store, part);
    add(index, count);
    if (next) {
      const split = await splitRest(store, part, next);
      rest.push(...split.map((each) => ({ ...each, index })));
    }
  });
  await forEachOrThrow(rest, async ({ index, ...part }) => {
    let next = part.next;
    do {
      const page = await countPage(store, { ...part, next });
      add(index, page.count);
      next = page.next;
    } while (next);
  });
  return counts;
}
