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

/**
 * A stream record older than this, in seconds, may well have been delivered before: a retry, or a
 * new mapping that reads the stream from its start. Longer than the longest batching window.
 */
const FRESH_SECONDS = 10;

/** Event ids to remember before the oldest are forgotten. */
const MAX_REMEMBERED = 100_000;

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
            ProjectionExpression: "event_id, event_status",
            ConsistentRead: true,
          },
        },
      }),
    );
    for (const item of responses?.[tableName] ?? []) {
      if (item.event_status?.S === "processed" && item.event_id?.S !== undefined) {
        found.push(item.event_id.S);
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
 * other order would lose one. So an event that was delivered before must be recognised. What this
 * environment has told of, it remembers; anything that another may have told of, it looks up: a
 * record from before its own start, and one that comes late.
 *
 * Environment: TABLE_NAME, TOPIC_ARN, DIGEST_SECONDS.
 */
export function notifyHandler() {
  const sns = new SNSClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
  });
  const dynamo = dynamoClient();
  const tableName = environment("TABLE_NAME");
  const topicArn = environment("TOPIC_ARN");
  const freshSeconds = FRESH_SECONDS + Number(environment("DIGEST_SECONDS"));
  const startedAt = Date.now() / 1000;
  const told = new Set<string>();

  const remember = (eventId: string) => {
    told.add(eventId);
    if (told.size > MAX_REMEMBERED) {
      const [oldest] = told;
      told.delete(oldest ?? eventId);
    }
  };

  const mayBeKnownElsewhere = ({ changedAt }: Delivery) =>
    // DynamoDB gives the time in whole seconds.
    changedAt < Math.ceil(startedAt) || changedAt < Date.now() / 1000 - freshSeconds;

  /** The deliveries that nobody has been told of yet. */
  const untold = async (deliveries: Delivery[]): Promise<Delivery[]> => {
    const candidates = deliveries.filter(({ event }) => !told.has(event.event_id));
    const doubtful = new Set(candidates.filter(mayBeKnownElsewhere));
    const open = new Set(
      await stillProcessed(
        dynamo,
        tableName,
        [...doubtful].map(({ event }) => event),
      ),
    );
    return candidates.filter((item) => !doubtful.has(item) || open.has(item.event.event_id));
  };

  const publish = async ({ subject, message, events }: Notice) => {
    const { MessageId } = await sns.send(
      new PublishCommand({ TopicArn: topicArn, Subject: subject, Message: message }),
    );
    for (const { event_id } of events) {
      remember(event_id);
      logInfo("People were told of the file.", { event_id, message_id: MessageId });
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
    const toldOf = deliveries.filter(({ event }) => told.has(event.event_id));
    const unwritten = await forEachConcurrently(toldOf, CONCURRENCY, async ({ event }) => {
      await advanceEvent(dynamo, tableName, event, "notified");
    });
    for (const { item, error } of unwritten) {
      logError("The status could not be written; the event will come again.", error, {
        event_id: item.event.event_id,
      });
    }
    const untoldStill = due.filter(({ event }) => !told.has(event.event_id));
    return [...untoldStill, ...unwritten.map(({ item }) => item)];
  };

  return async (batch: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    // The same event twice in one batch is told of once, and repeated from its first record on.
    const byId = new Map<string, Delivery>();
    for (const delivery of deliveriesOf(batch)) {
      if (!byId.has(delivery.event.event_id)) {
        byId.set(delivery.event.event_id, delivery);
      }
    }
    return batchResponse(await notify([...byId.values()]));
  };
}
