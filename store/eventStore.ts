import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import type { Environment } from "../runtime/environment";

/** The event table. */
export interface EventStore {
  dynamo: DynamoDBClient;
  tableName: string;
  /** The index's partitions for each status; see `events/partitions.ts`. */
  statusShards: number;
}

/** For writers that add, delete or retry events, which changes the counts of finished periods. */
export interface CountedEventStore extends EventStore {
  /** Where a finished period is marked before it changes; see `counts/`. */
  countsTableName: string;
}

/** For writers of rows whose event may have been deleted before. */
export interface GuardedEventStore extends CountedEventStore {
  /** The table of reservations, which has the tombstones of deleted events; see `tombstones.ts`. */
  reservationsTableName: string;
}

/** How a client repeats calls: the SDK's way, or another one. */
type Repetition = Pick<DynamoDBClientConfig, "maxAttempts" | "retryStrategy">;

/**
 * A DynamoDB client whose timeouts leave the handler time to answer. For callback factories only: a
 * client cannot be serialized.
 *
 * @param options `requestTimeout` in milliseconds @default 3000
 */
export function dynamoClient({
  requestTimeout = 3000,
  ...repetition
}: { requestTimeout?: number } & Repetition = {}): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: 3,
    ...repetition,
    // Without the third option, the SDK logs a warning and continues to wait.
    requestHandler: { connectionTimeout: 1000, requestTimeout, throwOnRequestTimeout: true },
  });
}

/** The environment variables of an `EventStore`. */
export type EventVariable = "TABLE_NAME" | "STATUS_SHARDS";

/** The environment variables of a `CountedEventStore`. */
export type CountedEventVariable = EventVariable | "COUNTS_TABLE_NAME";

/** The environment variables of a `GuardedEventStore`. */
export type GuardedEventVariable = CountedEventVariable | "RESERVATIONS_TABLE_NAME";

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

/** The event table, the table of counts and the one of tombstones that the environment names. */
export function guardedEventStore(
  environment: Environment<GuardedEventVariable>,
  dynamo = dynamoClient(),
): GuardedEventStore {
  return {
    ...countedEventStore(environment, dynamo),
    reservationsTableName: environment("RESERVATIONS_TABLE_NAME"),
  };
}
