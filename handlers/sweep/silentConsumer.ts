import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { logError } from "../../runtime/log";
import { serviceError, signedCall } from "../../runtime/signedCall";
import type { Pace } from "../../store/redelivery/pace";
import { type Consumer, resolutionsFor } from "./consumers";

/** Sends operators a mail. */
export type SendAlarm = (subject: string, message: string) => Promise<void>;

/**
 * Publishes to a topic.
 *
 * @param client signs the request
 * @returns a function that throws an error named as SNS's
 */
export function alarmsTo(client: DynamoDBClient, topicArn: string): SendAlarm {
  return async (subject, message) => {
    const form = { TopicArn: topicArn, Subject: subject, Message: message };
    const { status, text } = await signedCall(client, {
      service: "sns",
      endpointVariable: "AWS_ENDPOINT_URL_SNS",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ Action: "Publish", Version: "2010-03-31", ...form }).toString(),
    });
    if (status !== 200) {
      const [, code = "UnknownError"] = /<Code>(\w+)<\/Code>/.exec(text) ?? [];
      throw serviceError(code, `SNS refused the mail to operators: ${text}`, status);
    }
  };
}

/** Milliseconds after which the mail about a consumer that is still silent is repeated. */
const REPEAT_MS = 24 * 60 * 60 * 1000;

/**
 * Whether a consumer was not invoked for redelivered events for longer than an invocation, and its
 * metric, take. An idle consumer is invoked for them at once.
 */
function isSilent({ ledger, position, isAlive }: Pace, stuckSeconds: number): boolean {
  const [{ quietSeconds } = { quietSeconds: Infinity }] = resolutionsFor(stuckSeconds);
  const oldest = ledger.samples.map(({ at }) => at).sort()[0];
  return (
    oldest !== undefined &&
    !isAlive &&
    oldest > position.passed &&
    Date.now() - Date.parse(oldest) > quietSeconds * 1000
  );
}

function messageOf({ functionName, statuses }: Consumer): string {
  return [
    `The Lambda ${functionName} is not invoked for events in the status ${statuses.join(" or ")}.`,
    "The sweeper has redelivered some of them, and the Lambda's metric IteratorAge shows no invocation",
    "since. Events wait, and none has become failed for it.",
    "",
    "What to do:",
    "1. Look at the Lambda's event source mapping: is it enabled, and what is its last result?",
    "   aws lambda list-event-source-mappings --function-name " + functionName,
    "2. Look at the Lambda's metrics (Errors, Throttles, ConcurrentExecutions) and at its log: can it start?",
    "3. There is nothing to retry: events are redelivered by themselves once it is invoked again.",
  ].join("\n");
}

/**
 * Tells operators of a consumer that is not invoked: by the log, and by a mail, once a day.
 *
 * @returns whether it is silent
 * @throws the error of SNS or the table
 */
export async function reportSilence(
  consumer: Consumer,
  pace: Pace,
  stuckSeconds: number,
  sendAlarm: SendAlarm,
): Promise<boolean> {
  const { silent_since: since } = pace.ledger;
  if (!isSilent(pace, stuckSeconds)) {
    if (pace.isAlive) {
      await pace.noteSilence("");
    }
    return false;
  }
  const message = messageOf(consumer);
  logError("A Lambda is not invoked for its events.", message, {
    function_name: consumer.functionName,
  });
  if (since === "" || Date.now() - Date.parse(since) > REPEAT_MS) {
    await sendAlarm(`Not invoked: ${consumer.functionName}`.slice(0, 99), message);
    await pace.noteSilence(new Date().toISOString());
  }
  return true;
}
