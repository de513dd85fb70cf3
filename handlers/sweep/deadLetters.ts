import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { S3EventRecord } from "aws-lambda";
import { eventOfRecord } from "../../events/newEvent";
import { logError } from "../../runtime/log";
import { putMissing, type SweepRun } from "./sweepRun";

/** SQS's limit for one ReceiveMessage. */
const MAX_MESSAGES = 10;

/** ReceiveMessage calls of one run. */
const MAX_RECEIVES = 50;

/**
 * Enough for ten messages, and little for those who want to read what was left. A message that
 * comes twice does no harm: its rows are there then.
 */
const VISIBILITY_SECONDS = 15;

/** What Lambda writes to an asynchronous invoke's on-failure destination, as far as it matters. */
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
 * The records of a bucket's event that Lambda gave up.
 *
 * @returns undefined for every other message: of a stream, it has no items, only where they were
 */
function bucketRecords(body: string): S3EventRecord[] | undefined {
  try {
    const records = (JSON.parse(body) as InvocationRecord | null)?.requestPayload?.Records;
    return Array.isArray(records) && records.length > 0 && records.every(isObjectCreated)
      ? records
      : undefined;
  } catch {
    // Not JSON, or not of this form: whoever sent it, it is for people to read.
    return undefined;
  }
}

/**
 * Gives the objects their rows whose events ended in the dead-letter queue, and takes those
 * messages away. Every other message is left there, for people.
 *
 * @throws when the queue could not be read, or a row not be written, after all other messages
 */
export async function sweepDeadLetters(
  run: SweepRun,
  sqs: SQSClient,
  queueUrl: string,
): Promise<void> {
  const { counts, hasTime } = run;
  const errors: unknown[] = [];
  const left = new Set<string | undefined>();

  /** Whether the message has done its service. */
  const isSettled = async ({ Body: body, MessageId }: Message): Promise<boolean> => {
    const records = bucketRecords(body ?? "");
    let isWhole = records !== undefined;
    for (const record of records ?? []) {
      try {
        if (await putMissing(run, eventOfRecord(record))) {
          counts.WrittenFromDeadLetters += 1;
        }
      } catch (error) {
        logError("A dead letter's object got no row.", error, { message_id: MessageId });
        isWhole = false;
        // A key that nobody can read is no failure of this run: it stays for people.
        if (!(error instanceof URIError || error instanceof RangeError)) {
          errors.push(error);
        }
      }
    }
    return isWhole;
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
      if (await isSettled(message)) {
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
