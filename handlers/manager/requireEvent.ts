import type { FileEvent } from "../../events/event";
import { isUuid } from "../../events/identity";
import { type HttpError, httpError } from "../../runtime/http";
import type { EventStore } from "../../store/eventStore";
import { findEvent } from "../../store/rows";

export function eventNotFound(eventId: string): HttpError {
  return httpError(404, "event_not_found", `There is no event ${eventId.slice(0, 100)}.`);
}

/**
 * The event with this id.
 *
 * @throws an `HttpError` 404 where there is none
 */
export async function requireEvent(store: EventStore, eventId: string): Promise<FileEvent> {
  const event = isUuid(eventId) ? await findEvent(store, eventId) : undefined;
  if (event === undefined) {
    throw eventNotFound(eventId);
  }
  return event;
}
