import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import type { EventKey, FileEvent } from "./event";

/** Where the upload API puts objects. */
export const UPLOAD_PREFIX = "uploads/";

/** Where a client puts an object itself, by a signed request of the manager's `POST /uploads`. */
export const SIGNED_PREFIX = "signed/";

/** Where the objects of upload links are, below a folder for each link; see `linkPrefix`. */
export const LINK_PREFIX = "links/";

/** Every prefix below which the program hands out keys of objects. */
export const KEY_PREFIXES = [UPLOAD_PREFIX, SIGNED_PREFIX, LINK_PREFIX] as const;

export type KeyPrefix = (typeof KEY_PREFIXES)[number];

/** What the keys of one kind of upload begin with. */
export type UploadPrefix =
  typeof UPLOAD_PREFIX | typeof SIGNED_PREFIX | `${typeof LINK_PREFIX}${string}/`;

/**
 * Where a client puts the objects of an upload link.
 *
 * @param linkId a UUID v7 in lower case
 */
export function linkPrefix(linkId: string): UploadPrefix {
  return `${LINK_PREFIX}${linkId}/`;
}

/** Namespace of the UUIDs v5 that are derived from objects: a random UUID, never changed. */
const OBJECT_NAMESPACE = "5b0f4f3e-6a1d-4f0c-9f57-1c3a3f1f6f0e";

/** Namespace of the digests in the UUIDs v8 of uploads: a random UUID, never changed. */
const UPLOAD_NAMESPACE = "0c6f7b52-0a35-4f0b-8f0e-6f2f6f1d3c9a";

const UPLOAD_KEY =
  /^(uploads\/|signed\/|links\/([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\/)(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\/([0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\/(.+)$/su;

/** Hexadecimal digits at the end of a UUID v8 that are a digest of the rest of the key. */
const DIGEST_DIGITS = 8;

/** The time inside a UUID v7 or v8: its first 48 bits are milliseconds since 1970 (RFC 9562). */
function timestampOf(uuid: string): string {
  const milliseconds = parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
  return new Date(milliseconds).toISOString();
}

/** The UUID with the digest of prefix, UUID and file name at its end. */
function bound(uuid: string, prefix: UploadPrefix, fileName: string): string {
  const free = uuid.slice(0, -DIGEST_DIGITS);
  const digest = uuidv5(JSON.stringify([prefix, free, fileName]), UPLOAD_NAMESPACE);
  return free + digest.slice(0, DIGEST_DIGITS);
}

/** An upload's identity, and the key of its object. */
export interface NewUpload extends EventKey {
  /** `<prefix><event_timestamp>/<event_id>/<file name>`; see `parseUploadKey`. */
  object_key: string;
}

/**
 * The upload that a UUID v7 makes. Its id is a UUID v8: laid out as v7, so that ids sort by time, but
 * with a digest of prefix and file name at its end. No other name, and no other link, fits the id.
 */
export function uploadOf(uuid: string, prefix: UploadPrefix, fileName: string): NewUpload {
  const event_id = bound(`${uuid.slice(0, 14)}8${uuid.slice(15)}`, prefix, fileName);
  const event_timestamp = timestampOf(event_id);
  const object_key = `${prefix}${event_timestamp}/${event_id}/${fileName}`;
  return { event_id, event_timestamp, object_key };
}

/** A new identity for an upload, with its object's key. */
export function newUpload(prefix: UploadPrefix, fileName: string): NewUpload {
  return uploadOf(uuidv7(), prefix, fileName);
}

/** An upload, as its object's key describes it. */
export interface KeyedUpload extends EventKey {
  prefix: UploadPrefix;
  /** The link that the file came through; absent: none. */
  linkId?: string;
  fileName: string;
  /**
   * Whether an earlier version made the key: its id, a UUID v7, fits any file name. The identity is
   * the object's only as long as no row has it for another key.
   */
  isUnbound: boolean;
}

/**
 * Reads the identity from an upload's key.
 *
 * @returns undefined for a key that no upload has: another writer's object under the same prefix, a
 *   key whose time differs from the one in its UUID, and one with another event's UUID
 */
export function parseUploadKey(key: string): KeyedUpload | undefined {
  const [, prefix, linkId, event_timestamp, event_id, fileName] = UPLOAD_KEY.exec(key) ?? [];
  if (!event_timestamp || !event_id || !fileName || timestampOf(event_id) !== event_timestamp) {
    return undefined;
  }
  const upload = { event_id, event_timestamp, fileName, ...(linkId && { linkId }) };
  if (event_id[14] === "7") {
    // Earlier versions had one prefix only.
    return prefix === UPLOAD_PREFIX ? { ...upload, prefix, isUnbound: true } : undefined;
  }
  return bound(event_id, prefix as UploadPrefix, fileName) === event_id
    ? { ...upload, prefix: prefix as UploadPrefix, isUnbound: false }
    : undefined;
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
 * The identity of an object that is no upload: a UUID v5 over bucket, key and version (or sequencer),
 * and the time of the event. It is the same for every delivery of an object's event.
 */
export function directIdentity(object: CreatedObject): EventKey {
  // JSON, so that different parts cannot result in the same text.
  const write = object.versionId ?? object.sequencer ?? object.eventTime;
  return {
    event_id: uuidv5(JSON.stringify([object.bucket, object.key, write]), OBJECT_NAMESPACE),
    event_timestamp: new Date(object.eventTime).toISOString(),
  };
}

/** The identity of any object: for an upload, the one in its key. */
export function objectIdentity(object: CreatedObject): EventKey {
  const upload = parseUploadKey(object.key);
  return upload
    ? { event_id: upload.event_id, event_timestamp: upload.event_timestamp }
    : directIdentity(object);
}

/** Decodes a key as S3 puts it into its events: URL-encoded, with `+` for a space. */
export function decodeS3Key(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll("+", " "));
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a text can be an id of an event or a link: any UUID, in lower case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
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
