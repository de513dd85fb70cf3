import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import type { EventKey } from "./event";

/** Where the upload API puts objects. */
export const UPLOAD_PREFIX = "uploads/";

/** The namespace of `event_id`s that are derived from an object's name (a random UUID, fixed). */
const OBJECT_NAMESPACE = "5b0f4f3e-6a1d-4f0c-9f57-1c3a3f1f6f0e";

const UPLOAD_KEY =
  /^uploads\/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\/([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\/(.+)$/su;

/** The time inside a UUID v7: its first 48 bits are milliseconds since 1970 (RFC 9562). */
function timestampOf(uuid: string): string {
  const milliseconds = parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
  return new Date(milliseconds).toISOString();
}

/** A new identity for a file that comes in through the upload API. */
export function newUploadIdentity(): EventKey {
  const event_id = uuidv7();
  return { event_id, event_timestamp: timestampOf(event_id) };
}

/** The object key of an upload: it carries the identity, for the bucket's event to read back. */
export function uploadKey(identity: EventKey, fileName: string): string {
  return `${UPLOAD_PREFIX}${identity.event_timestamp}/${identity.event_id}/${fileName}`;
}

/**
 * Reads the identity back from an upload's key.
 *
 * @returns undefined for every key that `uploadKey` would not have made: somebody else's object
 *   under the same prefix, or one whose two times disagree.
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

/** What an S3 event says about one object that was created. */
export interface CreatedObject {
  bucket: string;
  /** The true key, already decoded. */
  key: string;
  versionId?: string;
  /** S3's ordering mark: tells the writes to one key apart where the bucket has no versions. */
  sequencer?: string;
  /** ISO 8601, as S3 gives it. */
  eventTime: string;
}

/**
 * The identity of any object: of an upload, what its key says; of every other object, a UUID v5
 * over bucket, key and version (or sequencer), and the time of its event. The same object gives the
 * same identity however often its event arrives.
 */
export function objectIdentity(object: CreatedObject): EventKey {
  const upload = parseUploadKey(object.key);
  if (upload) {
    return { event_id: upload.event_id, event_timestamp: upload.event_timestamp };
  }
  // JSON keeps the parts apart: no bucket and key can be cut in two ways into the same text.
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

/** The last segment of a key that says something: what people would call the file. */
export function fileNameOf(key: string): string {
  return (
    key
      .split("/")
      .filter((segment) => segment !== "")
      .pop() ?? key
  );
}
