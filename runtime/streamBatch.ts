import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import type { FileEvent } from "../events/event";
import { fromItem } from "../events/item";
import { isRowRefused } from "./awsErrors";
import { forEachConcurrently } from "./concurrency";
import { logError, logInfo } from "./log";
import { writeCounts } from "./metrics";
import type { Retries } from "./retries";

/** An event of a batch, and its stream record. */
export interface Delivery {
  event: FileEvent;
  sequenceNumber: string;
}

function sequenceNumberOf(record: DynamoDBRecord): string {
  return record.dynamodb?.SequenceNumber ?? "";
}

/**
 * The events of a stream batch. Rows that are not events are logged and skipped: a retry would fail
 * again and hold up the other records.
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
      logError("A row that is not an event was skipped.", error, {
        event_id: image.event_id?.S,
        sequence_number: sequenceNumberOf(record),
      });
    }
  }
  return deliveries;
}

/** A delivery that was not finished in spite of all tries. */
export interface FailedDelivery {
  item: Delivery;
  error: unknown;
}

/**
 * Decides on deliveries that have failed. Where others succeeded, they are left to the sweeper, and the
 * shard goes on: it would have to wait for them, and then read all that comes after them again. Where
 * none did, it is an outage of a service, and the shard waits. A row that DynamoDB takes no change of is
 * not waited for in either case.
 *
 * @param what happened, such as `Row not written`
 * @param isOutage whether none succeeded
 * @returns the deliveries that Lambda must redeliver
 */
export function redeliveryOf(
  all: FailedDelivery[],
  { what, isOutage }: { what: string; isOutage: boolean },
): Delivery[] {
  const failed: FailedDelivery[] = [];
  for (const each of all) {
    if (isRowRefused(each.error)) {
      const { event_id } = each.item.event;
      logError("Row not written: DynamoDB refuses it; the event stays as it is.", each.error, {
        event_id,
      });
    } else {
      failed.push(each);
    }
  }
  const next = isOutage ? "the records will be redelivered" : "the events are left to the sweeper";
  // One call can fail for many deliveries.
  for (const error of new Set(failed.map((each) => each.error))) {
    const items = failed.filter((each) => each.error === error).map(({ item }) => item);
    logError(`${what}; ${next}.`, error, {
      event_ids: items.map(({ event }) => event.event_id),
    });
  }
  if (!isOutage && failed.length > 0) {
    writeCounts("S3Uploader", { LeftToSweeper: failed.length });
  }
  return isOutage ? failed.map(({ item }) => item) : [];
}

/** How `workOff` works. */
export interface WorkOptions {
  /** Deliveries at the same time. */
  limit: number;
  /** Says what happened to those that fail, such as `Row not written`. */
  what: string;
  /** Whether those that fail are redelivered in any case. @default false: see `redeliveryOf` */
  redeliversAll?: boolean;
  retries: Pick<Retries, "hasTime">;
}

/**
 * Works on deliveries at the same time, as long as the invocation has time to begin with another one.
 *
 * @param work resolves to whether it succeeded; false: it is over, but not because a service works
 * @returns the deliveries that Lambda must redeliver; see `redeliveryOf`
 */
export async function workOff(
  deliveries: Delivery[],
  { limit, what, redeliversAll = false, retries }: WorkOptions,
  work: (delivery: Delivery) => Promise<boolean>,
): Promise<Delivery[]> {
  const left: Delivery[] = [];
  let succeeded = 0;
  const failed = await forEachConcurrently(deliveries, limit, async (delivery) => {
    if (!retries.hasTime()) {
      left.push(delivery);
    } else if (await work(delivery)) {
      succeeded += 1;
    }
  });
  if (left.length > 0) {
    logInfo("No time is left; the other records will be redelivered.", { records: left.length });
  }
  const isOutage = redeliversAll || succeeded === 0;
  return [...redeliveryOf(failed, { what, isOutage }), ...left];
}

/** The answer that makes Lambda redeliver these records and those after them in the shard. */
export function batchResponse(failed: Delivery[]): DynamoDBBatchResponse {
  return {
    batchItemFailures: failed.map(({ sequenceNumber }) => ({ itemIdentifier: sequenceNumber })),
  };
}
