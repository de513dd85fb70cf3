import type { EventKey, FileEvent } from "../events/event";
import { newUpload, UPLOAD_PREFIX } from "../events/identity";
import { type Item, newItem, toMap } from "../events/item";

/** A new identity, such as an upload gets. */
export function newIdentity(): EventKey {
  const { event_id, event_timestamp } = newUpload(UPLOAD_PREFIX, "cat.jpg");
  return { event_id, event_timestamp };
}

/** A processed event with every result of process. */
export function processedEvent(changes: Partial<FileEvent> = {}): FileEvent {
  return {
    event_id: "019a0000-abcd-7abc-8abc-abcdefabcdef",
    event_timestamp: "2026-11-21T20:00:00.000Z",
    event_status: "processed",
    event_info: { Bucket: "files", Key: "photos/cat.jpg", Size: 78_012, FileName: "cat.jpg" },
    event_result: { size: 78_012, type: "image/jpeg", width: 1200, height: 800 },
    updated_at: "2026-11-21T20:00:01.000Z",
    ...changes,
  };
}

/** An event that failed in process. */
export function failedEvent(changes: Partial<FileEvent> = {}): FileEvent {
  return processedEvent({
    event_status: "failed",
    event_result: undefined,
    failed_from: "uploaded",
    last_error: { code: "NoSuchKey", message: "The key does not exist.", step: "process" },
    ...changes,
  });
}

/** The row of an event, in any status. */
export function itemOf(event: FileEvent): Item {
  const { event_result, last_error, failed_from, attempts, alarmed_at, no_alarm } = event;
  return {
    ...newItem(event),
    ...(event_result && { event_result: toMap(event_result) }),
    ...(last_error && { last_error: { S: JSON.stringify(last_error) } }),
    ...(failed_from && { failed_from: { S: failed_from } }),
    ...(attempts !== undefined && { attempts: { N: String(attempts) } }),
    ...(alarmed_at && { alarmed_at: { S: alarmed_at } }),
    ...(no_alarm && { no_alarm: { BOOL: true } }),
  };
}
