/** An event: the contents of a row of the event table. */
/** Every status of an event, in the order in which an event goes through them. */
export const EVENT_STATUSES = ["created", "uploaded", "processed", "notified", "failed"] as const;

export type EventStatus = (typeof EVENT_STATUSES)[number];

/** Both mean that a file is in S3: recorded by the bucket's event, or by the upload API. */
export const START_STATUSES = ["created", "uploaded"] as const;

/** Partition key and sort key of a row of the event table. */
export interface EventKey {
  /** UUID. */
  event_id: string;
  /** ISO 8601, UTC, milliseconds. Set once, never changed. */
  event_timestamp: string;
}

/** Short texts that say what a file is about, such as its customer or order; by name. */
export type Metadata = Record<string, string>;

/** The stored object; JSON text in `event_info`. */
export interface EventInfo {
  Bucket: string;
  /** Not URL-encoded. */
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
  /** What the uploader said of the file, or who made its upload link. Absent: nothing. */
  Metadata?: Metadata;
}

/** The results of processing; a map in `event_result`. */
export interface EventResult {
  /** Bytes. */
  size: number;
  /** Media type: detected from the bytes, or the declared one where that says more and may be true. */
  type: string;
  /** The declared media type, where the bytes contradict it. */
  declared_type?: string;
  /** Hexadecimal for SHA256, base64 for those that S3 computes. */
  checksum?: string;
  /** `SHA256`, or the algorithm of the checksum that S3 has: `CRC64NVME`, `CRC32`, … */
  checksum_algorithm?: string;
  /** Pixels as a viewer shows it, more than 0; images only. */
  width?: number;
  /** Pixels as a viewer shows it, more than 0; images only. */
  height?: number;
}

/** Why an event is `failed`; JSON text in `last_error`. */
export interface EventError {
  /**
   * The error's name. `AccessDenied` may mean that the object does not exist: S3 hides that from
   * roles that may not list the bucket.
   */
  code: string;
  message: string;
  /** The Lambda that gave up: `process`, `notify` or `sweep`. */
  step: string;
}

/** One change: a new status, or a redelivery by the sweeper. */
export interface HistoryEntry {
  /** The event's status from then on. */
  status: EventStatus;
  /** ISO 8601, UTC, milliseconds. */
  time: string;
  /** The Lambda that wrote it, such as `process`. */
  function: string;
  /** The sweeper's redeliveries before it; absent: none. */
  attempt?: number;
  /** Of the error; only with `failed`. */
  code?: string;
}

/** One row of the event table. */
export interface FileEvent extends EventKey {
  event_status: EventStatus;
  event_info: EventInfo;
  /** The upload link that the file came through: a UUID v7. Absent: it came through none. */
  link_id?: string;
  event_result?: EventResult;
  last_error?: EventError;
  /** The status that a `failed` event had before. */
  failed_from?: EventStatus;
  /** How often the sweeper has redelivered the event. */
  attempts?: number;
  /** When the alarm about a `failed` event was published; ISO 8601. Absent: not published yet. */
  alarmed_at?: string;
  /** Of a `failed` event: no alarm is published about it; see `failures.ts`. */
  no_alarm?: true;
  /** Oldest first. Absent in rows that version 1.0 wrote. */
  event_history?: HistoryEntry[];
  /** ISO 8601, UTC, milliseconds. */
  updated_at: string;
}
