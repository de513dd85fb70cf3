import { setTimeout as delay } from "node:timers/promises";
import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import type { EventKey, FileEvent } from "../events/event";
import { fromItem, type Item, keyItem, newItem, objectKeyIn } from "../events/item";
import { cancellationsOf, unlessConditionFailed } from "../runtime/awsErrors";
import { reopenPeriod } from "./counts/marks";
import { isLate } from "./counts/periods";
import type { CountedEventStore, EventStore, GuardedEventStore } from "./eventStore";
import { tombstoneKey } from "./tombstones";

/** The put of a new event, unless its row exists, with the first entry of its history. */
function newRow({ tableName, statusShards }: EventStore, event: FileEvent, by: string) {
  const begin = { status: event.event_status, time: event.updated_at, function: by };
  return {
    TableName: tableName,
    Item: newItem({ ...event, event_history: [begin] }, statusShards),
    ConditionExpression: "attribute_not_exists(event_id)",
  };
}

/**
 * Puts a new event, unless its row exists: one with a fresh identity, which nobody can have deleted.
 *
 * @param by the Lambda that writes it, such as `upload`
 */
export async function putEvent(
  store: CountedEventStore,
  event: FileEvent,
  by: string,
): Promise<void> {
  if (isLate(event)) {
    await reopenPeriod(store, event);
  }
  await unlessConditionFailed(store.dynamo.send(new PutItemCommand(newRow(store, event, by))));
}

/** Milliseconds, times the number of the attempt. */
const CONFLICT_DELAY_MS = 50;

const MAX_CONFLICTS = 5;

/**
 * The parts of a transaction that puts a new event, unless it was deleted (the first part's condition) or its
 * row exists (the second's).
 *
 * @param by the Lambda that writes it, such as `record`
 */
export function undeletedRow(
  store: GuardedEventStore,
  event: FileEvent,
  by: string,
): TransactWriteItem[] {
  return [
    {
      ConditionCheck: {
        TableName: store.reservationsTableName,
        Key: tombstoneKey(event, event.event_info.Key),
        ConditionExpression: "attribute_not_exists(idempotency_key)",
      },
    },
    { Put: newRow(store, event, by) },
  ];
}

/** What became of a row: written now, there already, or not to be written, as its event was deleted. */
export type PutOutcome = "written" | "exists" | "deleted";

/**
 * Puts a new event, unless its row exists or the event was deleted: in one transaction, so that no
 * deletion falls between the check and the write.
 *
 * @param by the Lambda that writes it, such as `record`
 */
export async function putUndeletedEvent(
  store: GuardedEventStore,
  event: FileEvent,
  by: string,
): Promise<PutOutcome> {
  if (isLate(event)) {
    await reopenPeriod(store, event);
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      await store.dynamo.send(
        new TransactWriteItemsCommand({ TransactItems: undeletedRow(store, event, by) }),
      );
      return "written";
    } catch (error) {
      const [deleted, exists] = cancellationsOf(error);
      if (deleted === "ConditionalCheckFailed") {
        return "deleted";
      }
      if (exists === "ConditionalCheckFailed") {
        return "exists";
      }
      // The SDK does not repeat it. Another delivery of the same object's event is at work.
      if (![deleted, exists].includes("TransactionConflict") || attempt === MAX_CONFLICTS) {
        throw error;
      }
      await delay(attempt * CONFLICT_DELAY_MS);
    }
  }
}

/** Some attributes of a row; undefined: there is no such row. Reads consistently. */
async function readAttributes(
  { dynamo, tableName }: EventStore,
  key: EventKey,
  attributes: string,
): Promise<Item | undefined> {
  const { Item: item } = await dynamo.send(
    new GetItemCommand({
      TableName: tableName,
      Key: keyItem(key),
      ProjectionExpression: attributes,
      ConsistentRead: true,
    }),
  );
  return item;
}

/**
 * Whether an event has a row, and for which object. A row that was just deleted does not count.
 *
 * @returns `other` for the row of an object with another key; `same` also for an unreadable row
 */
export async function findRowOf(
  store: EventStore,
  { event_id, event_timestamp, event_info }: FileEvent,
): Promise<"none" | "same" | "other"> {
  const item = await readAttributes(store, { event_id, event_timestamp }, "event_id, event_info");
  if (!item) {
    return "none";
  }
  const key = objectKeyIn(item);
  return key === undefined || key === event_info.Key ? "same" : "other";
}

/** The event's status; undefined: it has no row. */
export async function statusOf(store: EventStore, key: EventKey): Promise<string | undefined> {
  return (await readAttributes(store, key, "event_status"))?.event_status?.S;
}

/**
 * The event with this key. Reads consistently.
 *
 * @returns undefined where there is none
 * @throws an error named `InvalidEvent` or `SyntaxError` for a row that is not an event
 */
export async function readEvent(
  { dynamo, tableName }: EventStore,
  { event_id, event_timestamp }: EventKey,
): Promise<FileEvent | undefined> {
  const { Item: item } = await dynamo.send(
    new GetItemCommand({
      TableName: tableName,
      Key: keyItem({ event_id, event_timestamp }),
      ConsistentRead: true,
    }),
  );
  return item && fromItem(item);
}

/**
 * The event with this id.
 *
 * @returns undefined where there is none
 * @throws an error named `InvalidEvent` or `SyntaxError` for a row that is not an event
 */
export async function findEvent(
  { dynamo, tableName }: EventStore,
  eventId: string,
): Promise<FileEvent | undefined> {
  const { Items: items } = await dynamo.send(
    new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: "event_id = :id",
      ExpressionAttributeValues: { ":id": { S: eventId } },
      ConsistentRead: true,
      Limit: 1,
    }),
  );
  const item = items?.[0];
  return item && fromItem(item);
}

/**
 * Deletes the row of a finished event.
 *
 * @returns whether the row is gone; false: the event is being retried
 */
export async function deleteEvent(store: CountedEventStore, key: EventKey): Promise<boolean> {
  const { dynamo, tableName } = store;
  if (isLate(key)) {
    await reopenPeriod(store, key);
  }
  return unlessConditionFailed(
    dynamo.send(
      new DeleteItemCommand({
        TableName: tableName,
        Key: keyItem(key),
        // Succeeds too where the row does not exist.
        ConditionExpression: "attribute_not_exists(event_id) OR event_status IN (:n, :f)",
        ExpressionAttributeValues: { ":n": { S: "notified" }, ":f": { S: "failed" } },
      }),
    ),
  );
}
