import type { Context } from "./context";

/** Deletes one event and its file. */
export async function deleteEvent(
  { manager, json, write }: Context,
  eventId: string,
): Promise<void> {
  await manager.delete(eventId);
  write(
    json
      ? JSON.stringify({ event_id: eventId, deleted: true })
      : `${eventId} is deleted, with its file.`,
  );
}
