import { SNSClient } from "@aws-sdk/client-sns";
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from "aws-lambda";
import type { EventStatus, FileEvent } from "../../events/event";
import { rowName } from "../../events/identity";
import { eventError } from "../../runtime/awsErrors";
import type { Environment } from "../../runtime/environment";
import { recentNames } from "../../runtime/recentNames";
import { batchResponse, deliveriesOf } from "../../runtime/streamBatch";
import { withoutNotice } from "../../store/batchReads";
import { eventStore, type EventVariable } from "../../store/eventStore";
import { advanceEvent, failEvent, markAlarmed } from "../../store/transitions";
import { failureAlarms } from "./failureAlarm";
import { processedNotices } from "./processedNotice";
import { type Publication, publishNotices } from "./publishNotices";

/** Distinguishes the failures of an event, which may fail again after a retry. */
function failureKey(event: FileEvent): string {
  return `${rowName(event)} ${event.updated_at}`;
}

/**
 * The handler that publishes notifications of `processed` events and advances those to `notified`,
 * and that publishes alarms about `failed` events and sets their `alarmed_at`.
 */
export function notifyHandler(
  environment: Environment<EventVariable | "TOPIC_ARN" | "ALARM_TOPIC_ARN">,
) {
  const sns = new SNSClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
  });
  const store = eventStore(environment);

  const notifications: Publication = {
    sns,
    topicArn: environment("TOPIC_ARN"),
    compose: processedNotices,
    deduplicationKey: rowName,
    published: recentNames(),
    findUnpublished: (events) => withoutNotice(store, "processed", events),
    markPublished: (event) => advanceEvent(store, event, "notified", { by: "notify" }),
    giveUp: (event, error) =>
      failEvent(store, event, { from: "processed", error: eventError(error, "notify") }),
  };

  const alarms: Publication = {
    sns,
    topicArn: environment("ALARM_TOPIC_ARN"),
    compose: failureAlarms,
    deduplicationKey: failureKey,
    published: recentNames(),
    findUnpublished: (events) => withoutNotice(store, "failed", events),
    markPublished: (event) => markAlarmed(store, event),
    // The event is failed already; the error is in the log, and the sweeper redelivers the event.
    giveUp: () => Promise.resolve(),
  };

  return async (batch: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    const deliveries = deliveriesOf(batch);
    const inStatus = (status: EventStatus) =>
      deliveries.filter(({ event }) => event.event_status === status);
    return batchResponse([
      ...(await publishNotices(notifications, inStatus("processed"))),
      ...(await publishNotices(alarms, inStatus("failed"))),
    ]);
  };
}
