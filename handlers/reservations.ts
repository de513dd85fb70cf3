import { type DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { EventKey } from "../events/event";
import { isConditionFailed } from "./awsErrors";

/** How long an `Idempotency-Key` is remembered, in seconds. */
const LIFETIME_SECONDS = 24 * 60 * 60;

/** What was reserved for an `Idempotency-Key`. */
export interface Reservation extends EventKey {
  /** The object's key. */
  object_key: string;
  /** Tells whether a repeated request is the same request. */
  fingerprint: string;
}

/**
 * Reserves an identity for an `Idempotency-Key`: the first request's, for all that come after it,
 * also for those that come at the same time.
 *
 * @returns the reservation that holds: `wanted`, or the one of an earlier request
 */
export async function reserve(
  dynamo: DynamoDBClient,
  tableName: string,
  idempotencyKey: string,
  wanted: Reservation,
): Promise<Reservation> {
  const now = Math.floor(Date.now() / 1000);
  const key = { idempotency_key: { S: idempotencyKey } };
  try {
    await dynamo.send(
      new PutItemCommand({
        TableName: tableName,
        Item: {
          ...key,
          event_id: { S: wanted.event_id },
          event_timestamp: { S: wanted.event_timestamp },
          object_key: { S: wanted.object_key },
          fingerprint: { S: wanted.fingerprint },
          expires_at: { N: String(now + LIFETIME_SECONDS) },
        },
        // DynamoDB deletes expired items up to days late, so the condition looks at the time too.
        ConditionExpression: "attribute_not_exists(idempotency_key) OR expires_at < :now",
        ExpressionAttributeValues: { ":now": { N: String(now) } },
      }),
    );
    return wanted;
  } catch (error) {
    if (!isConditionFailed(error)) {
      throw error;
    }
  }
  const { Item: item } = await dynamo.send(
    new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
  );
  return {
    event_id: item?.event_id?.S ?? wanted.event_id,
    event_timestamp: item?.event_timestamp?.S ?? wanted.event_timestamp,
    object_key: item?.object_key?.S ?? wanted.object_key,
    fingerprint: item?.fingerprint?.S ?? wanted.fingerprint,
  };
}
