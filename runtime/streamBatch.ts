import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import type { FileEvent } from "../events/event";
import { fromItem } from "../events/item";
import { logError } from "./log";

/** One event of a batch, and the stream record that brought it. */
export interface Delivery {
  event: FileEvent;
  sequenceNumber: string;
}

function sequenceNumberOf(record: DynamoDBRecord): string {
  return record.dynamodb?.SequenceNumber ?? "";
}

/**
 * The events of a stream batch. What is not an event can never be processed, so it is logged and
 * left behind: a retry would only hold up its neighbours.
 */
export function deliveriesOf({ Records }: DynamoDBStreamEvent): Delivery[] {
  const deliveries: Delivery[] = [];
  for (const record of Records) {
    const image = record.dynamodb?.NewImage;
    if (!image) {
      continue;
    }
    try {
      deliveries.push({
        event: fromItem(image),
        sequenceNumber: sequenceNumberOf(record),
      });
    } catch (error) {
      logError("A row that is not an event is left alone.", error, {
        event_id: image.event_id?.S,
        sequence_number: sequenceNumberOf(record),
      });
    }
  }
  return deliveries;
}

/** The answer that has exactly these deliveries (and what follows them in the shard) run again. */
export function batchResponse(failed: Delivery[]): DynamoDBBatchResponse {
  return {
    batchItemFailures: failed.map(({ sequenceNumber }) => ({ itemIdentifier: sequenceNumber })),
  };
}

/**
 * Calls `work` for each item, at most `limit` at a time; every call is finished at the end.
 *
 * @returns the items whose call failed, with what it threw, in the order of the items
 */
export async function forEachConcurrently<T>(
  items: T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<{ item: T; error: unknown }[]> {
  const failures: ({ item: T; error: unknown } | undefined)[] = items.map(() => undefined);
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) {
      try {
        await work(item);
      } catch (error) {
        failures[index] = { item, error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return failures.filter((failure) => failure !== undefined);
}
