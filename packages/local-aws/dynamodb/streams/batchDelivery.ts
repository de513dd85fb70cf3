import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { RETENTION_SECONDS, type StreamRecord } from "./streamRecord";

/** A Lambda's answer. */
export interface InvokeResult {
  /** `Handled` or `Unhandled`, where the function failed. */
  functionError?: string;
  /** JSON. */
  payload: string;
  requestId?: string;
}

/** The settings of a delivery; those of a mapping are described there. */
export interface DeliveryOptions {
  id: string;
  functionArn: string;
  streamArn: string;
  shardId: string;
  bisectBatchOnFunctionError: boolean;
  maximumRecordAgeSeconds: number;
  maximumRetryAttempts: number;
  reportBatchItemFailures: boolean;
  onFailureArn?: string;
  delayScale: number;
  invoke(payload: { Records: StreamRecord[] }): Promise<InvokeResult>;
  send(destinationArn: string, body: string): Promise<void>;
  onError(error: Error): void;
  /** The records up to this one are delivered or discarded. */
  onPassed(last: StreamRecord): void;
  signal: AbortSignal;
}

interface Batch {
  records: readonly StreamRecord[];
  /** How often this batch was resent after the function had failed. */
  retries: number;
  /** How often records of this batch reached the function. */
  invokes: number;
  /** How often in a row the function was not reached. */
  throttles: number;
  lastResult?: InvokeResult;
}

type Condition = "RetryAttemptsExhausted" | "RecordAgeExceeded";

const FIRST_DELAY_MILLISECONDS = 1000;
const LONGEST_DELAY_MILLISECONDS = 60_000;
const SEND_ATTEMPTS = 5;

/**
 * Delivers records to a Lambda, in order, by the rules of
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html and
 * https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html:
 * - an error of the function costs the batch a retry, and splits it first where the mapping says so;
 *   splitting costs no retry, nor does a partial success, since the next batch is a smaller one;
 * - a call that does not reach the function (throttled) costs no retry: only age ends it;
 * - discarded records go to the on-failure destination, as metadata.
 *
 * Ends early, with the rest undelivered, when the signal aborts.
 */
export async function deliver(
  records: readonly StreamRecord[],
  options: DeliveryOptions,
): Promise<void> {
  const isClosed = (): boolean => options.signal.aborted;
  const queue: Batch[] = [{ records, retries: 0, invokes: 0, throttles: 0 }];
  for (let batch = queue.shift(); batch; batch = queue.shift()) {
    const expired = countExpired(batch, options.maximumRecordAgeSeconds);
    if (expired > 0) {
      await discard(batch, batch.records.slice(0, expired), "RecordAgeExceeded", options);
      const rest = batch.records.slice(expired);
      if (rest.length > 0) {
        queue.unshift({ ...batch, records: rest });
      }
      continue;
    }

    const result = await invoke(batch, options);
    if (isClosed()) {
      return;
    }
    if (!result) {
      await pause(batch.throttles, options);
      if (isClosed()) {
        return;
      }
      queue.unshift({ ...batch, throttles: batch.throttles + 1 });
      continue;
    }

    const tried = { ...batch, invokes: batch.invokes + 1, throttles: 0, lastResult: result };
    const failedFrom = firstFailure(batch.records, result, options);
    const lastGood = batch.records[failedFrom - 1];
    if (lastGood) {
      options.onPassed(lastGood);
    }
    if (failedFrom === batch.records.length) {
      continue;
    }

    const rest = batch.records.slice(failedFrom);
    if (lastGood) {
      await pause(0, options);
      queue.unshift({ ...tried, records: rest, retries: 0 });
    } else if (options.bisectBatchOnFunctionError && rest.length > 1) {
      const middle = Math.ceil(rest.length / 2);
      queue.unshift(
        { ...tried, records: rest.slice(0, middle) },
        { ...tried, records: rest.slice(middle) },
      );
    } else if (batch.retries === options.maximumRetryAttempts) {
      await discard(tried, rest, "RetryAttemptsExhausted", options);
    } else {
      await pause(batch.retries, options);
      queue.unshift({ ...tried, retries: batch.retries + 1 });
    }
    if (isClosed()) {
      return;
    }
  }
}

/** How many records at the batch's head are too old. Without a limit, each is tried at least once. */
function countExpired(batch: Batch, maximumRecordAgeSeconds: number): number {
  const unlimited = maximumRecordAgeSeconds === -1;
  if (unlimited && batch.invokes + batch.throttles === 0) {
    return 0;
  }
  const oldest = Date.now() / 1000 - (unlimited ? RETENTION_SECONDS : maximumRecordAgeSeconds);
  const young = batch.records.findIndex(
    ({ dynamodb }) => dynamodb.ApproximateCreationDateTime >= Math.floor(oldest),
  );
  return young === -1 ? batch.records.length : young;
}

/** @returns undefined if the function was not reached */
async function invoke(batch: Batch, options: DeliveryOptions): Promise<InvokeResult | undefined> {
  try {
    return await options.invoke({ Records: [...batch.records] });
  } catch (error) {
    // Reported once, not with each of possibly hundreds of attempts.
    if (batch.throttles === 0 && !options.signal.aborted) {
      const message =
        `The event source mapping "${options.id}" could not invoke ${options.functionArn}: ` +
        `${String(error)}. It retries until the records expire.`;
      options.onError(new Error(message, { cause: error }));
    }
    return undefined;
  }
}

/** @returns the index of the first record that failed; the batch's length if none did */
function firstFailure(
  records: readonly StreamRecord[],
  { functionError, payload }: InvokeResult,
  options: DeliveryOptions,
): number {
  if (functionError) {
    return 0;
  }
  if (!options.reportBatchItemFailures) {
    return records.length;
  }
  const failed = failedItems(payload)?.map((identifier) =>
    records.findIndex(({ dynamodb }) => dynamodb.SequenceNumber === identifier),
  );
  if (failed && !failed.includes(-1)) {
    return Math.min(records.length, ...failed);
  }
  options.onError(
    new Error(
      `${options.functionArn} answered the event source mapping "${options.id}" with ${payload}. ` +
        'Expected {"batchItemFailures": [{"itemIdentifier": "<SequenceNumber of a record of the ' +
        'batch>"}]}: the whole batch counts as failed.',
    ),
  );
  return 0;
}

/** @returns the item identifiers, valid or not; undefined for an answer of another form */
function failedItems(payload: string): unknown[] | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(payload || "null");
  } catch {
    return undefined;
  }
  if (answer === null) {
    return [];
  }
  if (typeof answer !== "object" || Array.isArray(answer)) {
    return undefined;
  }
  const { batchItemFailures: items = null } = answer as { batchItemFailures?: unknown };
  if (items === null) {
    return [];
  }
  if (!Array.isArray(items)) {
    return undefined;
  }
  return items.map((item) => (item as { itemIdentifier?: unknown } | null)?.itemIdentifier);
}

async function discard(
  batch: Batch,
  records: readonly StreamRecord[],
  condition: Condition,
  options: DeliveryOptions,
): Promise<void> {
  const [first] = records;
  const last = records.at(-1);
  if (!first || !last) {
    return;
  }
  const body = JSON.stringify({
    requestContext: {
      requestId: batch.lastResult?.requestId ?? randomUUID(),
      functionArn: options.functionArn,
      condition,
      approximateInvokeCount: batch.invokes,
    },
    ...(batch.lastResult && {
      responseContext: {
        statusCode: 200,
        executedVersion: "$LATEST",
        functionError: batch.lastResult.functionError,
      },
    }),
    version: "1.0",
    timestamp: new Date().toISOString(),
    DDBStreamBatchInfo: {
      shardId: options.shardId,
      startSequenceNumber: first.dynamodb.SequenceNumber,
      endSequenceNumber: last.dynamodb.SequenceNumber,
      approximateArrivalOfFirstRecord: arrivalOf(first),
      approximateArrivalOfLastRecord: arrivalOf(last),
      batchSize: records.length,
      streamArn: options.streamArn,
    },
  });
  await sendAway(body, options);
  if (!options.signal.aborted) {
    options.onPassed(last);
  }
}

/** Tries the destination several times; a message that cannot be sent is reported, never dropped. */
async function sendAway(body: string, options: DeliveryOptions): Promise<void> {
  const { id, onFailureArn, signal } = options;
  if (onFailureArn === undefined) {
    const reason = "has no on-failure destination and discarded records";
    options.onError(new Error(`The event source mapping "${id}" ${reason}: ${body}`));
    return;
  }
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      await options.send(onFailureArn, body);
      return;
    } catch (error) {
      if (attempt === SEND_ATTEMPTS) {
        const reason = `could not send discarded records to ${onFailureArn} (${String(error)})`;
        options.onError(
          new Error(`The event source mapping "${id}" ${reason}: ${body}`, { cause: error }),
        );
        return;
      }
      await pause(attempt - 1, options);
    }
  }
}

/** Waits with exponential backoff; ends at once when the signal aborts. @param before earlier waits */
async function pause(before: number, { delayScale, signal }: DeliveryOptions): Promise<void> {
  const delay = Math.min(FIRST_DELAY_MILLISECONDS * 2 ** before, LONGEST_DELAY_MILLISECONDS);
  try {
    await setTimeout(delay * delayScale, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  }
}

/** AWS writes arrivals without a fraction of a second. */
function arrivalOf({ dynamodb }: StreamRecord): string {
  const time = new Date(dynamodb.ApproximateCreationDateTime * 1000);
  return time.toISOString().replace(".000Z", "Z");
}
