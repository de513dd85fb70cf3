import type { S3EventRecord } from "aws-lambda";
import type { FileEvent } from "../events/event";
import { directIdentity, parseUploadKey } from "../events/identity";
import { eventOfRecord } from "../events/newEvent";
import type { GuardedEventStore } from "./eventStore";
import { putLinkEvent } from "./links/confirm";
import type { LinkStore } from "./links/linkStore";
import { findRowOf, type PutOutcome, putUndeletedEvent } from "./rows";

/**
 * Writes the row of an object that the bucket's event reports, unless it has one or had one that was
 * deleted. The row of a link's file also confirms its claim. An earlier version's key may also hold the identity of another object: then the object is a
 * direct one.
 *
 * @param by the Lambda that writes it, such as `record`
 * @throws URIError for a key that is not URL-encoded
 */
export async function putObjectRow(
  store: GuardedEventStore & LinkStore,
  record: S3EventRecord,
  by: string,
): Promise<{ event: FileEvent; outcome: PutOutcome }> {
  let event = eventOfRecord(record);
  const isUnbound = parseUploadKey(event.event_info.Key)?.isUnbound === true;
  if (isUnbound && (await findRowOf(store, event)) === "other") {
    event = eventOfRecord(record, directIdentity);
  }
  const outcome =
    event.link_id === undefined
      ? await putUndeletedEvent(store, event, by)
      : await putLinkEvent(store, { ...event, link_id: event.link_id }, by);
  return { event, outcome };
}
