import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import type { FileEvent } from "../events/event";
import { fromItem } from "../events/item";
import { logError } from "./log";

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

/** The answer that makes Lambda redeliver these records and those after them in the shard. */
export function batchResponse(failed: Delivery[]): DynamoDBBatchResponse {
  return {
    batchItemFailures: failed.map(({ sequenceNumber }) => ({ itemIdentifier: sequenceNumber })),
  };
}
