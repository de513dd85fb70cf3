import { S3Client } from "@aws-sdk/client-s3";
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from "aws-lambda";
import type { EventResult, FileEvent } from "../../events/event";
import { eventError, isPassing } from "../../runtime/awsErrors";
import type { Environment } from "../../runtime/environment";
import { logError, logInfo } from "../../runtime/log";
import { memory } from "../../runtime/recentNames";
import {
  batchResponse,
  deliveriesOf,
  type Delivery,
  forEachConcurrently,
} from "../../runtime/streamBatch";
import { advanceEvent, eventStore, type EventVariable } from "../../store/eventStore";
import { type StoredFile, storedFile } from "./storedFile";

/**
 * The work on one file: gets the event and a way to read the object, and returns what is to be
 * kept in the row. An error that it throws makes the event `failed`, unless it is one of AWS's
 * passing ones (throttling, 5xx, lost connections), after which the file comes again.
 *
 * It may run more than once for the same file.
 */
export type ProcessFile = (file: StoredFile) => Promise<EventResult>;

/** Files of one batch that are worked on at the same time. */
const CONCURRENCY = 16;

/** The handler that takes events from `created` or `uploaded` to `processed`. */
export function processHandler(environment: Environment<EventVariable>, processFile: ProcessFile) {
  const s3 = new S3Client({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 10000, throwOnRequestTimeout: true },
    // A range has no checksum to compare: the stored one is of the whole object.
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  const store = eventStore(environment);

  const fail = async ({ event }: Delivery, error: unknown) => {
    logError("The file cannot be processed.", error, { event_id: event.event_id });
    await advanceEvent(store, event, "failed", {
      failed_from: event.event_status,
      last_error: eventError(error, "process"),
    });
  };

  /**
   * Changes of rows that this environment is done with. When one file of a batch has to come again,
   * so do all that follow it, and they should not be read again and hold it up.
   */
  const done = memory();
  const changeOf = ({ event_id, event_timestamp, updated_at }: FileEvent) =>
    `${event_id} ${event_timestamp} ${updated_at}`;

  const process = async (delivery: Delivery) => {
    const { event } = delivery;
    if (done.has(changeOf(event))) {
      return;
    }
    try {
      const result = await processFile(storedFile(s3, event));
      const moved = await advanceEvent(store, event, "processed", {
        event_result: result,
      });
      done.add(changeOf(event));
      logInfo(moved ? "The file was processed." : "The event has moved on already.", {
        event_id: event.event_id,
      });
    } catch (error) {
      if (isPassing(error)) {
        throw error;
      }
      // Also for a result that the table does not take: it would be refused for ever.
      await fail(delivery, error);
    }
  };

  return async (batch: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    const failures = await forEachConcurrently(deliveriesOf(batch), CONCURRENCY, process);
    for (const { item, error } of failures) {
      logError("The file will come again.", error, { event_id: item.event.event_id });
    }
    return batchResponse(failures.map(({ item }) => item));
  };
}
