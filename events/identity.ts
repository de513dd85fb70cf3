import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import type { EventKey, FileEvent } from "./event";

/** Where the upload API puts objects. */
export const UPLOAD_PREFIX = "uploads/";

/** Namespace of the UUIDs v5 that are derived from objects: a random UUID, never changed. */
const OBJECT_NAMESPACE = "5b0f4f3e-6a1d-4f0c-9f57-1c3a3f1f6f0e";

const UPLOAD_KEY =
  /^uploads\/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\/([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\/(.+)$/su;

/** The time inside a UUID v7: its first 48 bits are milliseconds since 1970 (RFC 9562). */
function timestampOf(uuid: string): string {
  const milliseconds = parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
  return new Date(milliseconds).toISOString();
}

/** A new identity for an upload. */
export function newUploadIdentity(): EventKey {
  const event_id = uuidv7();
  return { event_id, event_timestamp: timestampOf(event_id) };
}

/** The object key of an upload. It contains the identity; see `parseUploadKey`. */
export function uploadKey(identity: EventKey, fileName: string): string {
  return `${UPLOAD_PREFIX}${identity.event_timestamp}/${identity.event_id}/${fileName}`;
}

/**
 * Reads the identity from an upload's key.
 *
 * @returns undefined for a key that `uploadKey` cannot have made: another writer's object under the
 *   same prefix, or a key whose time differs from the one in its UUID
 */
export function parseUploadKey(key: string): (EventKey & { fileName: string }) | undefined {
  const match = UPLOAD_KEY.exec(key);
  if (!match) {
    return undefined;
  }
  const [, event_timestamp, event_id, fileName] = match;
  if (!event_timestamp || !event_id || !fileName || timestampOf(event_id) !== event_timestamp) {
    return undefined;
  }
  return { event_id, event_timestamp, fileName };
}

/** Whether the object's key belongs to this event only. Other keys may be written repeatedly. */
export function hasUniqueKey({ event_id, event_info }: FileEvent): boolean {
  return parseUploadKey(event_info.Key)?.event_id === event_id;
}

/** An object that was created, from the bucket's event. */
export interface CreatedObject {
  bucket: string;
  /** Decoded. */
  key: string;
  versionId?: string;
  /** Distinguishes the writes to one key in a bucket without versions. */
  sequencer?: string;
  /** ISO 8601. */
  eventTime: string;
}

/**
 * The identity of any object: for an upload, the one in its key; for others, a UUID v5 over bucket,
 * key and version (or sequencer), and the time of the event. It is the same for every delivery of
 * an object's event.
 */
export function objectIdentity(object: CreatedObject): EventKey {
  const upload = parseUploadKey(object.key);
  if (upload) {
    return { event_id: upload.event_id, event_timestamp: upload.event_timestamp };
  }
  // JSON, so that different parts cannot result in the same text.
  const write = object.versionId ?? object.sequencer ?? object.eventTime;
  return {
    event_id: uuidv5(JSON.stringify([object.bucket, object.key, write]), OBJECT_NAMESPACE),
    event_timestamp: new Date(object.eventTime).toISOString(),
  };
}

/** Decodes a key as S3 puts it into its events: URL-encoded, with `+` for a space. */
export function decodeS3Key(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll("+", " "));
}

/** Identifies a row, as one text. An `event_id` alone is half of the key. */
export function rowName({ event_id, event_timestamp }: EventKey): string {
  return `${event_id} ${event_timestamp}`;
}

/** The last segment of a key that is not empty. */
export function fileNameOf(key: string): string {
  return (
    key
      .split("/")
      .filter((segment) => segment !== "")
      .pop() ?? key
  );
}
