import { SNSClient } from "@aws-sdk/client-sns";
import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from "aws-lambda";
import type { EventStatus, FileEvent } from "../../events/event";
import { rowName } from "../../events/identity";
import { eventError } from "../../runtime/awsErrors";
import type { Environment } from "../../runtime/environment";
import { recentNames } from "../../runtime/recentNames";
import { invocationRetries } from "../../runtime/retries";
import { batchResponse, deliveriesOf } from "../../runtime/streamBatch";
import { withoutNotice } from "../../store/batchReads";
import { dynamoClient, eventStore, type EventVariable } from "../../store/eventStore";
import { advanceEvent, failEvent, markAlarmed } from "../../store/transitions";
import { failureAlarms } from "./failureAlarm";
import { processedNotices } from "./processedNotice";
import { type Publication, publishNotices } from "./publishNotices";

/** The version of a row. It also distinguishes the failures of an event, which may fail again. */
function versionOf(event: FileEvent): string {
  return `${rowName(event)} ${event.updated_at}`;
}

/**
 * The handler that publishes notifications of `processed` events and advances those to `notified`,
 * and that publishes alarms about `failed` events and sets their `alarmed_at`.
 */
export function notifyHandler(
  environment: Environment<EventVariable | "TOPIC_ARN" | "ALARM_TOPIC_ARN">,
) {
  const retries = invocationRetries();
  const sns = new SNSClient({
    retryStrategy: retries.clientStrategy,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
  });
  const dynamo = dynamoClient({ retryStrategy: retries.clientStrategy });
  const store = eventStore(environment, dynamo);

  const notifications: Publication = {
    sns,
    retries,
    topicArn: environment("TOPIC_ARN"),
    compose: processedNotices,
    deduplicationKey: rowName,
    published: recentNames(),
    version: versionOf,
    finished: recentNames(),
    findUnpublished: (events) => withoutNotice(store, "processed", events),
    markPublished: (event) => advanceEvent(store, event, "notified", { by: "notify" }),
    giveUp: (event, error) =>
      failEvent(store, event, { from: "processed", error: eventError(error, "notify") }),
  };

  const alarms: Publication = {
    sns,
    retries,
    topicArn: environment("ALARM_TOPIC_ARN"),
    compose: failureAlarms,
    deduplicationKey: versionOf,
    published: recentNames(),
    version: versionOf,
    finished: recentNames(),
    findUnpublished: (events) => withoutNotice(store, "failed", events),
    markPublished: (event) => markAlarmed(store, event),
    // The event is failed already; the error is in the log, and the sweeper redelivers the event.
    giveUp: () => Promise.resolve(),
  };

  return async (batch: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> => {
    retries.begin(context);
    const deliveries = deliveriesOf(batch);
    const inStatus = (status: EventStatus) =>
      deliveries.filter(({ event }) => event.event_status === status);
    return batchResponse([
      ...(await publishNotices(notifications, inStatus("processed"))),
      ...(await publishNotices(alarms, inStatus("failed"))),
    ]);
  };
}
