import { BatchGetItemCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from "aws-lambda";
import type { EventKey, FileEvent } from "../events/event";
import { keyItem } from "../events/item";
import { environment } from "./environment";
import { advanceEvent, dynamoClient } from "./eventStore";
import { logError, logInfo } from "./log";
import { type Notice, noticesFor } from "./notice";
import { batchResponse, type Delivery, deliveriesOf, forEachConcurrently } from "./streamBatch";

/** Rows of one batch that are written at the same time. */
const CONCURRENCY = 32;

/** DynamoDB's limit for one BatchGetItem. */
const MAX_KEYS = 100;

/** Events to remember before the oldest are forgotten. */
const MAX_REMEMBERED = 100_000;

/** One row, as text: an id alone is only half of the key. */
function keyText({ event_id, event_timestamp }: EventKey): string {
  return `${event_id} ${event_timestamp}`;
}

function eventOf({ event }: Delivery): FileEvent {
  return event;
}

/** Which of these events are still `processed`, by a consistent read. */
async function stillProcessed(
  dynamo: DynamoDBClient,
  tableName: string,
  keys: EventKey[],
): Promise<string[]> {
  const found: string[] = [];
  const pending = keys.map(keyItem);
  while (pending.length > 0) {
    const batch = pending.splice(0, MAX_KEYS);
    const { Responses: responses, UnprocessedKeys: unprocessed } = await dynamo.send(
      new BatchGetItemCommand({
        RequestItems: {
          [tableName]: {
            Keys: batch,
            ProjectionExpression: "event_id, event_timestamp, event_status",
            ConsistentRead: true,
          },
        },
      }),
    );
    for (const item of responses?.[tableName] ?? []) {
      const { event_id, event_timestamp, event_status } = item;
      if (event_status?.S === "processed" && event_id?.S && event_timestamp?.S) {
        found.push(keyText({ event_id: event_id.S, event_timestamp: event_timestamp.S }));
      }
    }
    pending.push(...((unprocessed?.[tableName]?.Keys ?? []) as typeof pending));
  }
  return found;
}

/**
 * The handler that tells people of processed files, one message for each batch, and then takes the
 * events to `notified`.
 *
 * A message goes out before the status is written: a crash between the two doubles a message, the
 * other order would lose one. Streams deliver more than once, so the rows are looked up first, in
 * one request for a hundred; and what this environment has told of, it remembers, for the case that
 * the status could not be written.
 *
 * Environment: TABLE_NAME, TOPIC_ARN.
 */
export function notifyHandler() {
  const sns = new SNSClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
  });
  const dynamo = dynamoClient();
  const tableName = environment("TABLE_NAME");
  const topicArn = environment("TOPIC_ARN");
  const told = new Set<string>();

  const remember = (event: EventKey) => {
    told.add(keyText(event));
    if (told.size > MAX_REMEMBERED) {
      const [oldest] = told;
      told.delete(oldest ?? keyText(event));
    }
  };

  const isTold = ({ event }: Delivery) => told.has(keyText(event));

  /** The deliveries that nobody has been told of yet. */
  const untold = async (deliveries: Delivery[]): Promise<Delivery[]> => {
    const candidates = deliveries.filter((delivery) => !isTold(delivery));
    const open = new Set(await stillProcessed(dynamo, tableName, candidates.map(eventOf)));
    return candidates.filter(({ event }) => open.has(keyText(event)));
  };

  const publish = async ({ subject, message, events }: Notice) => {
    const { MessageId } = await sns.send(
      new PublishCommand({ TopicArn: topicArn, Subject: subject, Message: message }),
    );
    for (const event of events) {
      remember(event);
      logInfo("People were told of the file.", {
        event_id: event.event_id,
        message_id: MessageId,
      });
    }
  };

  /** Tells of the events, then writes their status. Returns those that have to come again. */
  const notify = async (deliveries: Delivery[]): Promise<Delivery[]> => {
    const due = await untold(deliveries);
    const unpublished = await forEachConcurrently(noticesFor(due.map(eventOf)), 1, publish);
    for (const { item, error } of unpublished) {
      logError("The message could not be published; the files will come again.", error, {
        event_ids: item.events.map(({ event_id }) => event_id),
      });
    }
    const toldOf = deliveries.filter(isTold);
    const unwritten = await forEachConcurrently(toldOf, CONCURRENCY, async ({ event }) => {
      await advanceEvent(dynamo, tableName, event, "notified");
    });
    for (const { item, error } of unwritten) {
      logError("The status could not be written; the event will come again.", error, {
        event_id: item.event.event_id,
      });
    }
    const untoldStill = due.filter((delivery) => !isTold(delivery));
    return [...untoldStill, ...unwritten.map(({ item }) => item)];
  };

  return async (batch: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    // The same event twice in one batch is told of once, and repeated from its first record on.
    const byKey = new Map<string, Delivery>();
    for (const delivery of deliveriesOf(batch)) {
      const key = keyText(delivery.event);
      if (!byKey.has(key)) {
        byKey.set(key, delivery);
      }
    }
    return batchResponse(await notify([...byKey.values()]));
  };
}
