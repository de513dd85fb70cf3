import { setTimeout as delay } from "node:timers/promises";
import {
  BatchGetItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { EventError, EventKey, EventResult, EventStatus, FileEvent } from "../events/event";
import { type AttributeValue, type Item, keyItem, newItem, toMap } from "../events/item";
import { statusAttributes } from "../events/partitions";
import { predecessorsOf } from "../events/transitions";
import { unlessConditionFailed } from "../runtime/awsErrors";
import type { Environment } from "../runtime/environment";
import { isLate, reopenPeriod } from "./periods";

/** DynamoDB's limit for one BatchGetItem. */
const MAX_KEYS = 100;

/** Milliseconds before keys are asked for again that a throttled BatchGetItem left out. */
const UNPROCESSED_DELAY_MS = 50;

/** Where the events are. */
export interface EventStore {
  dynamo: DynamoDBClient;
  /** The event table. */
  tableName: string;
  /** Partitions of the index for each status; see `events/partitions.ts`. */
  statusShards: number;
}

/** For those who add, remove or bring back events: all that finished periods do not expect. */
export interface CountedEventStore extends EventStore {
  /** The table of the counts: a period that is changed late is marked there first. */
  countsTableName: string;
}

/** What a transition writes besides the status. */
export interface Changes {
  event_result?: EventResult;
  last_error?: EventError;
  /** Of a move to `failed`: the status that the caller saw; the event moves from that one only. */
  failed_from?: EventStatus;
}

type Value = { S: string } | { N: string } | ReturnType<typeof toMap>;

/** A conditional write to one row. */
export interface RowUpdate {
  /** The status that the row gets; without it, the row keeps its own. */
  status?: EventStatus;
  /** Not the status: it has more than one attribute. May be empty where something is removed. */
  set: Record<string, Value> & { event_status?: never; status_shard?: never };
  remove?: string[];
  /** For each attribute the values that it may have; none at all: that it must not be there. */
  expect: Record<string, Value[]>;
}

/**
 * A DynamoDB client for handlers: it gives up early enough for the handler to answer itself.
 * Called from callback factories only: a client cannot be serialized.
 */
export function dynamoClient(
  { maxAttempts, requestTimeout } = { maxAttempts: 3, requestTimeout: 3000 },
): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts,
    // Without the third option, the SDK only warns of a request that takes too long, and waits on.
    requestHandler: { connectionTimeout: 1000, requestTimeout, throwOnRequestTimeout: true },
  });
}

/** The environment variables of an `EventStore`. */
export type EventVariable = "TABLE_NAME" | "STATUS_SHARDS";

/** The environment variables of a `CountedEventStore`. */
export type CountedEventVariable = EventVariable | "COUNTS_TABLE_NAME";

/** The event table that the environment names. */
export function eventStore(
  environment: Environment<EventVariable>,
  dynamo = dynamoClient(),
): EventStore {
  return {
    dynamo,
    tableName: environment("TABLE_NAME"),
    statusShards: Number(environment("STATUS_SHARDS")),
  };
}

/** The event table and the table of counts that the environment names. */
export function countedEventStore(
  environment: Environment<CountedEventVariable>,
  dynamo = dynamoClient(),
): CountedEventStore {
  return { ...eventStore(environment, dynamo), countsTableName: environment("COUNTS_TABLE_NAME") };
}

/**
 * Puts a new event, unless its row is there already.
 *
 * @returns whether this call wrote it
 */
export async function putEvent(store: CountedEventStore, event: FileEvent): Promise<boolean> {
  const { dynamo, tableName, statusShards } = store;
  if (isLate(event)) {
    await reopenPeriod(store, event);
  }
  return unlessConditionFailed(
    dynamo.send(
      new PutItemCommand({
        TableName: tableName,
        Item: newItem(event, statusShards),
        ConditionExpression: "attribute_not_exists(event_id)",
      }),
    ),
  );
}

/**
 * Changes a row, if it is as expected.
 *
 * @returns whether this call changed it; false means that somebody else was first
 */
export function updateRow(
  { dynamo, tableName, statusShards }: EventStore,
  key: EventKey,
  { status, set, remove = [], expect }: RowUpdate,
): Promise<boolean> {
  const values: Record<string, Value> = {};
  const placeholder = (value: Value) => {
    const name = `:v${Object.keys(values).length}`;
    values[name] = value;
    return name;
  };
  const ofStatus = status && statusAttributes(key.event_id, status, statusShards);
  const sets = Object.entries<Value>({ ...ofStatus, ...set }).map(
    ([name, value]) => `${name} = ${placeholder(value)}`,
  );
  const conditions = Object.entries(expect).map(([name, allowed]) =>
    allowed.length === 0
      ? `attribute_not_exists(${name})`
      : `${name} IN (${allowed.map(placeholder).join(", ")})`,
  );
  const clauses = [
    ...(sets.length > 0 ? [`SET ${sets.join(", ")}`] : []),
    ...(remove.length > 0 ? [`REMOVE ${remove.join(", ")}`] : []),
  ];
  return unlessConditionFailed(
    dynamo.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: keyItem(key),
        UpdateExpression: clauses.join(" "),
        ConditionExpression: conditions.join(" AND "),
        ExpressionAttributeValues: values,
      }),
    ),
  );
}

/**
 * Moves an event on to `to`, if it is in a status that comes before it. An event that becomes
 * `failed` is one that people have not been told of.
 *
 * @param expect what the row must be like besides
 * @returns whether this call moved it; false means that somebody did it already
 */
export function advanceEvent(
  store: EventStore,
  key: EventKey,
  to: EventStatus,
  changes: Changes = {},
  expect: RowUpdate["expect"] = {},
): Promise<boolean> {
  const { event_result, last_error, failed_from } = changes;
  const expected = predecessorsOf(to).filter(
    (status) => failed_from === undefined || status === failed_from,
  );
  return updateRow(store, key, {
    status: to,
    set: {
      updated_at: { S: new Date().toISOString() },
      ...(event_result && { event_result: toMap(event_result) }),
      ...(last_error && { last_error: { S: JSON.stringify(last_error) } }),
      ...(failed_from && { failed_from: { S: failed_from } }),
    },
    remove: to === "failed" ? ["alarmed_at"] : [],
    expect: { ...expect, event_status: expected.map((status) => ({ S: status })) },
  });
}

/**
 * Puts a `failed` event back to where it failed, as if it had not: it is tried anew, from there on.
 *
 * @param from the status that it failed from
 * @returns whether this call moved it; false means that it is not, or no longer, as it was read
 */
export async function bringBack(
  store: CountedEventStore,
  key: EventKey,
  from: EventStatus,
): Promise<boolean> {
  if (isLate(key)) {
    await reopenPeriod(store, key);
  }
  return updateRow(store, key, {
    status: from,
    set: { updated_at: { S: new Date().toISOString() } },
    remove: ["attempts", "last_error", "failed_from", "alarmed_at"],
    expect: { event_status: [{ S: "failed" }], failed_from: [{ S: from }] },
  });
}

/**
 * Keeps a `failed` event from being put back, for it is about to lose its file.
 *
 * @returns whether it is still failed; false means that it is on its way again, or gone
 */
export function endRetries(store: EventStore, key: EventKey): Promise<boolean> {
  return updateRow(store, key, {
    set: {},
    remove: ["failed_from"],
    expect: { event_status: [{ S: "failed" }] },
  });
}

/**
 * Deletes the row of an event that has come to its end.
 *
 * @returns whether it is gone; false means that it is on its way again
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
        // A row that is gone already is what was wanted.
        ConditionExpression: "attribute_not_exists(event_id) OR event_status IN (:n, :f)",
        ExpressionAttributeValues: { ":n": { S: "notified" }, ":f": { S: "failed" } },
      }),
    ),
  );
}

/** The row with this id, whatever its time; undefined where there is none. */
export async function findRow(
  { dynamo, tableName }: EventStore,
  eventId: string,
): Promise<Item | undefined> {
  const { Items: items } = await dynamo.send(
    new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: "event_id = :id",
      ExpressionAttributeValues: { ":id": { S: eventId } },
      ConsistentRead: true,
      Limit: 1,
    }),
  );
  return items?.[0];
}

/**
 * Reads some attributes of rows by their keys, a hundred rows at a time. Rows that are not there
 * are left out; `event_id` is always among the attributes.
 */
export async function readRows(
  { dynamo, tableName }: EventStore,
  keys: EventKey[],
  options: { attributes: string[]; consistent: boolean },
): Promise<Record<string, AttributeValue>[]> {
  const found: Record<string, AttributeValue>[] = [];
  // DynamoDB refuses a request that names a key twice.
  const distinct = new Map(
    keys.map((key) => [`${key.event_id} ${key.event_timestamp}`, keyItem(key)]),
  );
  const pending = [...distinct.values()];
  while (pending.length > 0) {
    const { Responses: responses, UnprocessedKeys: unprocessed } = await dynamo.send(
      new BatchGetItemCommand({
        RequestItems: {
          [tableName]: {
            Keys: pending.splice(0, MAX_KEYS),
            ProjectionExpression: ["event_id", "event_timestamp", ...options.attributes].join(", "),
            ConsistentRead: options.consistent,
          },
        },
      }),
    );
    found.push(...((responses?.[tableName] ?? []) as Record<string, AttributeValue>[]));
    const left = (unprocessed?.[tableName]?.Keys ?? []) as typeof pending;
    if (left.length > 0) {
      pending.push(...left);
      await delay(UNPROCESSED_DELAY_MS);
    }
  }
  return found;
}
