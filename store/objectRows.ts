import type { S3EventRecord } from "aws-lambda";
import type { FileEvent } from "../events/event";
import { directIdentity, parseUploadKey, UPLOAD_PREFIX } from "../events/identity";
import { eventOfRecord } from "../events/newEvent";
import type { CountedEventStore } from "./eventStore";
import { findRowOf, putEvent } from "./rows";

/**
 * Writes the row of an object that the bucket's event reports, unless it has one.
 *
 * Below the upload API's prefix, an object nearly always has a row: reading it first costs a read unit,
 * where a failed conditional write would cost a write unit. An earlier version's key may also hold the
 * identity of another object: then the object is a direct one.
 *
 * @param by the Lambda that writes it, such as `record`
 * @throws URIError for a key that is not URL-encoded
 */
export async function putObjectRow(
  store: CountedEventStore,
  record: S3EventRecord,
  by: string,
): Promise<{ event: FileEvent; isWritten: boolean }> {
  let event = eventOfRecord(record);
  if (parseUploadKey(event.event_info.Key)?.prefix === UPLOAD_PREFIX) {
    const found = await findRowOf(store, event);
    if (found === "same") {
      return { event, isWritten: false };
    }
    if (found === "other") {
      event = eventOfRecord(record, directIdentity);
    }
  }
  return { event, isWritten: await putEvent(store, event, by) };
}
