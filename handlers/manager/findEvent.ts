import type { FileEvent } from "../../events/event";
import { fromItem } from "../../events/item";
import { type HttpError, httpError } from "../../runtime/http";
import { type EventStore, findRow } from "../../store/eventStore";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function eventNotFound(eventId: string): HttpError {
  return httpError(404, "event_not_found", `There is no event ${eventId.slice(0, 100)}.`);
}

/**
 * The event with this id.
 *
 * @throws an `HttpError` 404 where there is none
 */
export async function findEvent(store: EventStore, eventId: string): Promise<FileEvent> {
  const row = UUID.test(eventId) ? await findRow(store, eventId) : undefined;
  if (row === undefined) {
    throw eventNotFound(eventId);
  }
  return fromItem(row);
}
