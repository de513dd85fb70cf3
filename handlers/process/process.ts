import { S3Client } from "@aws-sdk/client-s3";
import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from "aws-lambda";
import type { EventInfo, EventResult, FileEvent } from "../../events/event";
import { isAlarming, TYPE_MISMATCH } from "../../events/failures";
import { rowName } from "../../events/identity";
import { isAllowedFile } from "../../events/mediaType/mediaType";
import type { Metadata } from "../../events/metadata";
import { eventError, isTransient } from "../../runtime/awsErrors";
import type { Environment } from "../../runtime/environment";
import { logError, logInfo } from "../../runtime/log";
import { recentNames } from "../../runtime/recentNames";
import { invocationRetries } from "../../runtime/retries";
import { batchResponse, deliveriesOf, type Delivery, workOff } from "../../runtime/streamBatch";
import { dynamoClient, eventStore, type EventVariable } from "../../store/eventStore";
import { advanceEvent, failEvent, type Learned } from "../../store/transitions";
import { type StoredFile, storedFile } from "./storedFile";

/**
 * Processes one file and returns the results to store in its row. After a transient AWS error
 * (throttling, 5xx, lost connection) it is repeated: in the same invocation, then by a redelivery, until
 * the sweeper's last one; any other error makes the event `failed`.
 *
 * It may run more than once for a file.
 */
export type ProcessFile = (file: StoredFile) => Promise<EventResult>;

/** Files of a batch that are processed at the same time. */
const CONCURRENCY = 16;

/** The version of a row that a stream record has. */
function versionOf(event: FileEvent): string {
  return `${rowName(event)} ${event.updated_at}`;
}

/**
 * The row's information with the object's metadata: events of the bucket do not tell of it.
 *
 * @returns undefined where the row has all of it
 */
function infoWith({ event_info }: FileEvent, metadata?: Metadata): EventInfo | undefined {
  return metadata === undefined || event_info.Metadata !== undefined
    ? undefined
    : { ...event_info, Metadata: metadata };
}

/** `REJECT_MISMATCH` is true or false; `ALLOWED_CONTENT_TYPES` has patterns, separated by commas. */
type ProcessVariable = EventVariable | "MAX_ATTEMPTS" | "REJECT_MISMATCH" | "ALLOWED_CONTENT_TYPES";

/** Why the setting `rejectMismatch` rejects a file; undefined: it does not. */
function mismatchOf(
  { type, declared_type }: EventResult,
  allowedTypes: string[],
): Error | undefined {
  const isAllowed = isAllowedFile(type, allowedTypes);
  if (declared_type === undefined && isAllowed) {
    return undefined;
  }
  const declared = declared_type === undefined ? "" : `; the uploader declared ${declared_type}`;
  const allowed = isAllowed ? "" : `; allowed are ${allowedTypes.join(", ")}`;
  return Object.assign(new Error(`The file is ${type} by its bytes${declared}${allowed}.`), {
    name: TYPE_MISMATCH,
  });
}

/**
 * The callback factory of a Lambda that takes events from `created` or `uploaded` to `processed`.
 *
 * @example
 * processHandler(inspectFile)
 */
export function processHandler(processFile: ProcessFile) {
  return (environment: Environment<ProcessVariable>) => streamHandler(environment, processFile);
}

function streamHandler(environment: Environment<ProcessVariable>, processFile: ProcessFile) {
  const retries = invocationRetries();
  const s3 = new S3Client({
    retryStrategy: retries.clientStrategy,
    requestHandler: {
      connectionTimeout: 1000,
      requestTimeout: 10000,
      throwOnRequestTimeout: true,
      // The request's time ends with the first byte of its answer: an answer can stop in the middle.
      socketTimeout: 10000,
    },
    // S3's checksum is of the whole object: it cannot be compared with a range's.
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  const dynamo = dynamoClient({ retryStrategy: retries.clientStrategy });
  const store = eventStore(environment, dynamo);
  const maxAttempts = Number(environment("MAX_ATTEMPTS"));
  const rejectMismatch = environment("REJECT_MISMATCH") === "true";
  const allowedTypes = environment("ALLOWED_CONTENT_TYPES").split(",");

  /**
   * Versions of rows that need nothing more. When a record is redelivered, all records after it are
   * too; those cost no request.
   */
  const finished = recentNames();

  const fail = async ({ event }: Delivery, thrown: unknown, learned: Learned) => {
    const error = eventError(thrown, "process");
    if (isAlarming(error.code)) {
      logError("Processing failed permanently.", thrown, { event_id: event.event_id });
    } else {
      logInfo("Event ended as failed.", { event_id: event.event_id, ...error });
    }
    await failEvent(store, event, { from: event.event_status, error, ...learned });
  };

  /** @returns false: S3 or the table did not work, and the event has failed after its last attempt */
  const process = async (delivery: Delivery): Promise<boolean> => {
    const { event } = delivery;
    let event_info: EventInfo | undefined;
    const file = storedFile(s3, event, ({ metadata }) => {
      event_info = infoWith(event, metadata);
    });
    try {
      const event_result = await retries.repeat(() => processFile(file));
      const learned = { event_result, event_info };
      const mismatch = rejectMismatch ? mismatchOf(event_result, allowedTypes) : undefined;
      if (mismatch) {
        await fail(delivery, mismatch, learned);
        return true;
      }
      const advanced = await advanceEvent(store, event, "processed", { by: "process", ...learned });
      logInfo(advanced ? "File processed." : "Event advanced already.", {
        event_id: event.event_id,
      });
      return true;
    } catch (error) {
      // After the last redelivery, the sweeper would give the event up without knowing why.
      if (isTransient(error) && (event.attempts ?? 0) < maxAttempts) {
        throw error;
      }
      // Includes a result that DynamoDB rejects: it would be rejected again.
      await fail(delivery, error, { event_info });
      return !isTransient(error);
    }
  };

  return async (batch: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> => {
    retries.begin(context);
    const deliveries = deliveriesOf(batch).filter(({ event }) => !finished.has(versionOf(event)));
    const what = "Processing failed with a transient error";
    const options = { limit: CONCURRENCY, what, retries };
    const unfinished = await workOff(deliveries, options, async (delivery) => {
      const succeeded = await process(delivery);
      finished.add(versionOf(delivery.event));
      return succeeded;
    });
    return batchResponse(unfinished);
  };
}
