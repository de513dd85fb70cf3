import { GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { EventKey, FileEvent } from "../events/event";
import { type NewUpload, rowName } from "../events/identity";
import type { GuardedEventStore } from "./eventStore";

/** The table that keeps tombstones. */
type Tombstones = Pick<GuardedEventStore, "dynamo" | "reservationsTableName">;

/**
 * How long a deleted event is remembered, in seconds: 15 days. Whatever could bring it back comes
 * earlier: a repeated request by a day later (its reservation's lifetime), and what its URL lets in an hour
 * after that; the bucket's event of an object waits at most 6 hours for its Lambda and 14 days in the
 * dead-letter queue.
 */
const LIFETIME_SECONDS = 15 * 24 * 60 * 60;

/**
 * Its key in the table of reservations. A tab, which no header's key has, keeps the names apart. The
 * object's key belongs to it, because ids of earlier versions fit other objects as well.
 */
export function tombstoneKey(event: EventKey, objectKey: string) {
  return { idempotency_key: { S: `deleted\t${rowName(event)} ${objectKey}` } };
}

/** Records that the event is deleted, so that nothing writes its row again. */
export async function putTombstone(
  { dynamo, reservationsTableName }: Tombstones,
  event: FileEvent,
): Promise<void> {
  await dynamo.send(
    new PutItemCommand({
      TableName: reservationsTableName,
      Item: {
        ...tombstoneKey(event, event.event_info.Key),
        event_id: { S: event.event_id },
        event_timestamp: { S: event.event_timestamp },
        expires_at: { N: String(Math.floor(Date.now() / 1000) + LIFETIME_SECONDS) },
      },
    }),
  );
}

/** Whether the upload's event was deleted. Reads consistently. */
export async function isDeleted(
  { dynamo, reservationsTableName }: Tombstones,
  upload: NewUpload,
): Promise<boolean> {
  const { Item: item } = await dynamo.send(
    new GetItemCommand({
      TableName: reservationsTableName,
      Key: tombstoneKey(upload, upload.object_key),
      ConsistentRead: true,
    }),
  );
  return item !== undefined;
}
