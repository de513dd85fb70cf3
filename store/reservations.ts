import { createHash } from "node:crypto";
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { APIGatewayProxyEvent } from "aws-lambda";
import type { EventKey } from "../events/event";
import { newUploadIdentity, uploadKey } from "../events/identity";
import { isConditionFailed } from "../runtime/awsErrors";
import { header, httpError } from "../runtime/http";

/** How long an `Idempotency-Key` is remembered, in seconds. */
const LIFETIME_SECONDS = 24 * 60 * 60;

/** What was reserved for an `Idempotency-Key`. */
export interface Reservation extends EventKey {
  /** The object's key. */
  object_key: string;
}

interface StoredReservation extends Reservation {
  /** Tells whether a repeated request is the same request. */
  fingerprint: string;
}

/** @throws an `HttpError` 400 for a key that is not 1 to 255 printable ASCII characters */
export function idempotencyKeyOf(event: APIGatewayProxyEvent): string | undefined {
  const key = header(event, "idempotency-key");
  if (key !== undefined && !/^[\x21-\x7e][\x20-\x7e]{0,254}$/.test(key)) {
    throw httpError(
      400,
      "invalid_idempotency_key",
      "The header Idempotency-Key takes 1 to 255 printable ASCII characters.",
    );
  }
  return key;
}

/**
 * The identity and object key for a file to be stored: new ones, or with an `Idempotency-Key` the
 * ones of the first request that came with it, within a day.
 *
 * @param request what makes a repeated request the same request
 * @throws an `HttpError` 422 where the key came with another request before
 */
export async function reserve(
  table: { dynamo: DynamoDBClient; tableName: string },
  idempotencyKey: string | undefined,
  fileName: string,
  request: (string | number | null)[],
): Promise<Reservation> {
  const identity = newUploadIdentity();
  const wanted = {
    ...identity,
    object_key: uploadKey(identity, fileName),
    fingerprint: createHash("sha256").update(JSON.stringify(request)).digest("hex"),
  };
  if (idempotencyKey === undefined) {
    return wanted;
  }
  const reserved = await reserveFor(table, idempotencyKey, wanted);
  if (reserved.fingerprint !== wanted.fingerprint) {
    throw httpError(
      422,
      "idempotency_key_reused",
      "This Idempotency-Key came with another file, name or type before. Use a new key.",
    );
  }
  return reserved;
}

/**
 * Reserves an identity for an `Idempotency-Key`: the first request's, for all that come after it,
 * also for those that come at the same time.
 *
 * @returns the reservation that holds: `wanted`, or the one of an earlier request
 */
async function reserveFor(
  { dynamo, tableName }: { dynamo: DynamoDBClient; tableName: string },
  idempotencyKey: string,
  wanted: StoredReservation,
): Promise<StoredReservation> {
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
