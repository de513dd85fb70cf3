import type { EventStatus } from "../../events/event";
import { partitionsOf } from "../../events/partitions";
import { mapConcurrently } from "../../runtime/concurrency";
import type { EventStore } from "../eventStore";
import { firstEvent } from "../timeIndex";
import { endOf } from "../timeRange";
import { periodOf } from "./periods";

/** The result of `findPeriods`. */
export interface FoundPeriods {
  /** In order of time. */
  periods: string[];
  /** Up to this period, `periods` is complete. */
  upTo: string;
}

/**
 * Finds the periods that have events of the given statuses. It jumps from one to the next, so its
 * cost depends neither on the events in a period nor on the number of empty periods.
 *
 * @param range from after the period `after`, up to and including `upTo`
 * @param mayContinue whether to look for one more period, after `found` ones
 */
export async function findPeriods(
  store: EventStore,
  statuses: readonly EventStatus[],
  { after, upTo }: { after: string; upTo: string },
  mayContinue: (found: number) => boolean,
): Promise<FoundPeriods> {
  const periods: string[] = [];
  if (upTo <= after) {
    return { periods, upTo: after };
  }
  const firstAfter = async (partition: string, period: string) => {
    const event = await firstEvent(store, { partition, from: endOf(period), to: endOf(upTo) });
    return event && { partition, period: periodOf(event) };
  };
  const present = <T>(found: (T | undefined)[]) => found.filter((each) => each !== undefined);
  const partitions = statuses.flatMap((status) => partitionsOf(status, store.statusShards));
  let heads = present(
    await mapConcurrently(partitions, (partition) => firstAfter(partition, after)),
  );
  while (heads.length > 0) {
    if (!mayContinue(periods.length)) {
      return { periods, upTo: periods.at(-1) ?? after };
    }
    const first = heads.reduce((a, b) => (b.period < a.period ? b : a)).period;
    periods.push(first);
    heads = present(
      await mapConcurrently(heads, (head) =>
        head.period === first ? firstAfter(head.partition, first) : Promise.resolve(head),
      ),
    );
  }
  return { periods, upTo };
}
