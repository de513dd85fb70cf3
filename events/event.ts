/**
 * What an event is: the words of the table's rows, without any AWS client.
 */

/** Every status an event can have, in the order in which it goes through them. */
export const EVENT_STATUSES = ["created", "uploaded", "processed", "notified", "failed"] as const;

export type EventStatus = (typeof EVENT_STATUSES)[number];

/** Statuses that say no more than "a file is in S3": by the bucket's event, or by the upload API. */
export const START_STATUSES = ["created", "uploaded"] as const;

/** Partition key and sort key: together they name one row of the event table. */
export interface EventKey {
  /** UUID. */
  event_id: string;
  /** ISO 8601, UTC, milliseconds. Set once, never changed. */
  event_timestamp: string;
}

/** What is known of the stored object; kept as JSON text in `event_info`. */
export interface EventInfo {
  Bucket: string;
  /** The object's true key: not URL-encoded. */
  Key: string;
  /** Bytes. */
  Size?: number;
  /** Without quotes. */
  ETag?: string;
  VersionId?: string;
  /** As the uploader declared it. */
  ContentType?: string;
  FileName?: string;
  /** SHA-256 of the bytes, in hexadecimal. */
  Checksum?: string;
}

/** What processing found out about the file; kept as a map in `event_result`. */
export interface EventResult {
  /** Bytes. */
  size: number;
  /** Media type: what the bytes show, or else what the uploader declared. */
  type: string;
  /** The declared media type, when the bytes contradict it. */
  declared_type?: string;
  /** In the notation of its algorithm: hexadecimal for SHA256, base64 for the ones S3 computes. */
  checksum?: string;
  /** `SHA256`, or whichever checksum S3 keeps for the object: `CRC64NVME`, `CRC32`, … */
  checksum_algorithm?: string;
  /** Pixels; images only. */
  width?: number;
  /** Pixels; images only. */
  height?: number;
}

/** Why an event is `failed`; kept as JSON text in `last_error`. */
export interface EventError {
  /**
   * The error's name. `AccessDenied` may mean that the object is gone: S3 does not tell that to a
   * role which may not list the bucket.
   */
  code: string;
  message: string;
  /** The Lambda that gave up: `process`, `notify` or `sweep`. */
  step: string;
}

/** One row of the event table. */
export interface FileEvent extends EventKey {
  event_status: EventStatus;
  event_info: EventInfo;
  event_result?: EventResult;
  last_error?: EventError;
  /** The status that a `failed` event had before. */
  failed_from?: EventStatus;
  /** How often the sweeper has driven the event on. */
  attempts?: number;
  /** When people were told that the event `failed`; ISO 8601. Without it, they are still to be. */
  alarmed_at?: string;
  /** ISO 8601, UTC, milliseconds. */
  updated_at: string;
}
