import type { FileEvent } from "../../events/event";
import { type HttpError, httpError } from "../../runtime/http";
import type { EventStore } from "../../store/eventStore";
import { findEvent } from "../../store/rows";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function eventNotFound(eventId: string): HttpError {
  return httpError(404, "event_not_found", `There is no event ${eventId.slice(0, 100)}.`);
}

/**
 * The event with this id.
 *
 * @throws an `HttpError` 404 where there is none
 */
export async function requireEvent(store: EventStore, eventId: string): Promise<FileEvent> {
  const event = UUID.test(eventId) ? await findEvent(store, eventId) : undefined;
  if (event === undefined) {
    throw eventNotFound(eventId);
  }
  return event;
}
