import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { S3EventRecord } from "aws-lambda";
import { isFolderMarker } from "../../events/newEvent";
import { logError } from "../../runtime/log";
import { putMissingObjectRow, type SweepRun } from "./sweepRun";

/** SQS's limit for one ReceiveMessage. */
const MAX_MESSAGES = 10;

/** ReceiveMessage calls of one run. */
const MAX_RECEIVES = 50;

/**
 * Enough for ten messages, and short for operators who want to read the others. A message that is
 * received twice is harmless: its rows exist.
 */
const VISIBILITY_SECONDS = 15;

/** A message of an asynchronous invoke's on-failure destination: the fields in use. */
interface InvocationRecord {
  requestPayload?: { Records?: Partial<S3EventRecord>[] };
}

function isObjectCreated(record: Partial<S3EventRecord> | null): record is S3EventRecord {
  return (
    record?.eventSource === "aws:s3" &&
    typeof record.eventName === "string" &&
    record.eventName.startsWith("ObjectCreated:") &&
    typeof record.eventTime === "string" &&
    typeof record.s3?.bucket.name === "string" &&
    typeof record.s3.object.key === "string"
  );
}

/**
 * The records of a bucket's event whose invocation failed.
 *
 * @returns undefined for every other message; a stream's has no items, only their position
 */
function bucketRecords(body: string): S3EventRecord[] | undefined {
  try {
    const records = (JSON.parse(body) as InvocationRecord | null)?.requestPayload?.Records;
    return Array.isArray(records) && records.length > 0 && records.every(isObjectCreated)
      ? records
      : undefined;
  } catch {
    // Not JSON, or not of this form.
    return undefined;
  }
}

/**
 * Writes the missing rows of objects whose bucket event is in the dead-letter queue, and deletes
 * those messages. Every other message is left in the queue, for an operator.
 *
 * @throws the first error of reading the queue or writing rows, after all other messages
 */
export async function sweepDeadLetters(
  run: SweepRun,
  sqs: SQSClient,
  queueUrl: string,
): Promise<void> {
  const { counts, hasTime } = run;
  const errors: unknown[] = [];
  const left = new Set<string | undefined>();

  /** Writes the message's rows. @returns whether the message can be deleted */
  const recordAll = async ({ Body: body, MessageId }: Message): Promise<boolean> => {
    const records = bucketRecords(body ?? "");
    let isComplete = records !== undefined;
    for (const record of records ?? []) {
      try {
        if (!isFolderMarker(record) && (await putMissingObjectRow(run, record))) {
          counts.WrittenFromDeadLetters += 1;
        }
      } catch (error) {
        logError("Could not write the row of a dead-lettered object.", error, {
          message_id: MessageId,
        });
        isComplete = false;
        // An invalid key or time does not fail the run: the message stays for an operator.
        if (!(error instanceof URIError || error instanceof RangeError)) {
          errors.push(error);
        }
      }
    }
    return isComplete;
  };

  for (let receives = 0; receives < MAX_RECEIVES && hasTime(); receives += 1) {
    const { Messages: messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: MAX_MESSAGES,
        VisibilityTimeout: VISIBILITY_SECONDS,
        WaitTimeSeconds: 0,
      }),
    );
    const unseen = messages.filter(({ MessageId }) => !left.has(MessageId));
    if (unseen.length === 0) {
      break;
    }
    for (const message of unseen) {
      if (await recordAll(message)) {
        await sqs.send(
          new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }),
        );
      } else {
        left.add(message.MessageId);
        counts.DeadLettersLeft = left.size;
      }
    }
  }
  if (errors.length > 0) {
    throw errors[0];
  }
}
