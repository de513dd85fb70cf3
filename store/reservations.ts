import { createHash } from "node:crypto";
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { type NewUpload, newUpload, type UploadPrefix } from "../events/identity";
import { isConditionFailed } from "../runtime/awsErrors";

/** How long a reservation is valid, in seconds. */
const LIFETIME_SECONDS = 24 * 60 * 60;

/** The table of reservations: hash key `idempotency_key`. */
export interface ReservationsTable {
  dynamo: DynamoDBClient;
  tableName: string;
}

/** The upload of a request. */
export interface Reservation extends NewUpload {
  /** Whether an earlier request with the same `Idempotency-Key` made it. */
  isRepeated: boolean;
}

/** An upload, reserved for its `Idempotency-Key`. */
interface StoredReservation extends NewUpload {
  /** Equal for repetitions of a request. */
  fingerprint: string;
}

/**
 * The identity and object key for an upload: new, or with an `Idempotency-Key` those of the first
 * request with that key within a day.
 *
 * @param request the values in which repetitions of a request are equal
 * @returns undefined where a different request has used the key
 */
export async function reserve(
  table: ReservationsTable,
  idempotencyKey: string | undefined,
  { prefix, fileName }: { prefix: UploadPrefix; fileName: string },
  request: (string | number | null)[],
): Promise<Reservation | undefined> {
  const wanted = {
    ...newUpload(prefix, fileName),
    fingerprint: createHash("sha256").update(JSON.stringify(request)).digest("hex"),
  };
  if (idempotencyKey === undefined) {
    return { ...wanted, isRepeated: false };
  }
  const reserved = await reserveFor(table, idempotencyKey, wanted);
  return reserved.fingerprint === wanted.fingerprint
    ? { ...reserved, isRepeated: reserved.event_id !== wanted.event_id }
    : undefined;
}

/**
 * Reserves an identity for an `Idempotency-Key`, unless it has one. Safe for concurrent requests.
 *
 * @returns the valid reservation: `wanted`, or an earlier request's
 */
async function reserveFor(
  { dynamo, tableName }: ReservationsTable,
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
        // DynamoDB may delete expired items days late.
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
