import { SNSClient } from "@aws-sdk/client-sns";
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from "aws-lambda";
import type { EventKey, FileEvent } from "../../events/event";
import { eventError } from "../../runtime/awsErrors";
import type { Environment } from "../../runtime/environment";
import { batchResponse, deliveriesOf, type Delivery } from "../../runtime/streamBatch";
import {
  advanceEvent,
  eventStore,
  type EventVariable,
  readRows,
  updateRow,
} from "../../store/eventStore";
import { alarmsFor } from "./failureAlarm";
import { noticesFor } from "./processedNotice";
import { teller } from "./publishNotices";

/** The same occasion twice in one batch is told of once, and repeated from its first record on. */
function firstOfEach(deliveries: Delivery[], occasion: (event: FileEvent) => string): Delivery[] {
  const first = new Map<string, Delivery>();
  for (const delivery of deliveries) {
    const name = occasion(delivery.event);
    if (!first.has(name)) {
      first.set(name, delivery);
    }
  }
  return [...first.values()];
}

/** One row: an id alone is only half of its key. A file is processed once. */
function processedOccasion({ event_id, event_timestamp }: EventKey): string {
  return `${event_id} ${event_timestamp}`;
}

/** An event may fail again after a retry: the time of the failure tells one from the other. */
function failedOccasion(event: FileEvent): string {
  return `${processedOccasion(event)} ${event.updated_at}`;
}

/**
 * The handler that tells people of processed files, and then takes the events to `notified`, and
 * that tells operations of `failed` events, and then writes `alarmed_at`.
 */
export function notifyHandler(
  environment: Environment<EventVariable | "TOPIC_ARN" | "ALARM_TOPIC_ARN">,
) {
  const sns = new SNSClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
  });
  const store = eventStore(environment);

  /** Those of the events whose rows are in this status, and that people were not told of. */
  const untoldIn = async (status: "processed" | "failed", events: FileEvent[]) => {
    const attributes = ["event_status", "alarmed_at"];
    const rows = await readRows(store, events, { attributes, consistent: true });
    const untold = new Set(
      rows
        .filter(
          (row) =>
            row.event_status?.S === status &&
            (status === "processed" || row.alarmed_at === undefined),
        )
        .map((row) =>
          processedOccasion({
            event_id: row.event_id?.S ?? "",
            event_timestamp: row.event_timestamp?.S ?? "",
          }),
        ),
    );
    return events.filter((event) => untold.has(processedOccasion(event)));
  };

  const tellOfProcessed = teller({
    sns,
    topicArn: environment("TOPIC_ARN"),
    wording: noticesFor,
    occasion: processedOccasion,
    due: (events) => untoldIn("processed", events),
    markTold: async (event) => {
      await advanceEvent(store, event, "notified");
    },
    giveUp: async (event, error) => {
      await advanceEvent(store, event, "failed", {
        failed_from: "processed",
        last_error: eventError(error, "notify"),
      });
    },
  });

  const tellOfFailed = teller({
    sns,
    topicArn: environment("ALARM_TOPIC_ARN"),
    wording: alarmsFor,
    occasion: failedOccasion,
    due: (events) => untoldIn("failed", events),
    markTold: async (event) => {
      await updateRow(store, event, {
        set: { alarmed_at: { S: new Date().toISOString() } },
        // Of this failure, and no later one: operations are to hear of that too.
        expect: {
          event_status: [{ S: "failed" }],
          updated_at: [{ S: event.updated_at }],
          alarmed_at: [],
        },
      });
    },
    // There is no status for it; the log says it, and the sweeper brings the event again.
    giveUp: () => Promise.resolve(),
  });

  return async (batch: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    const deliveries = deliveriesOf(batch);
    const having = (status: string) =>
      deliveries.filter(({ event }) => event.event_status === status);
    const unfinished = [
      ...(await tellOfProcessed(firstOfEach(having("processed"), processedOccasion))),
      ...(await tellOfFailed(firstOfEach(having("failed"), failedOccasion))),
    ];
    return batchResponse(unfinished);
  };
}
