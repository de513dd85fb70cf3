import { DeleteObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { FileEvent } from "../events/event";
import { hasUniqueKey } from "../events/identity";
import { logInfo } from "./log";

/**
 * Deletes an object that has arrived for a deleted event. Under a key that anybody writes, there may be
 * another event's object: that one stays.
 */
export async function deleteArrived(s3: S3Client, event: FileEvent): Promise<void> {
  const { Bucket, Key } = event.event_info;
  const fields = { event_id: event.event_id, key: Key };
  if (!hasUniqueKey(event)) {
    logInfo("Row not written: its event was deleted.", fields);
    return;
  }
  await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  logInfo("Object deleted: it arrived after its event was deleted.", fields);
}
