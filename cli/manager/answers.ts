/** The answers of the two APIs, by openapi.json. */
import type { EventStatus, FileEvent } from "../../events/event";
import type { Metadata } from "../../events/metadata";

/** Of `GET /events`. */
export interface EventPage {
  events: FileEvent[];
  /** Null on the last page. */
  next_cursor: string | null;
}

/** Of `GET /events/{event_id}`. */
export interface EventDetails {
  event: FileEvent;
  /** A presigned URL, valid until `expires_at`; absent where `no_download` says why. */
  download?: { url: string; expires_at: string };
  no_download?: { code: string; message: string };
  /** Absent for rows that version 1.0 wrote. */
  seconds_in_status?: Partial<Record<EventStatus, number>>;
}

/** Of `POST /events/{event_id}/retry`. */
export interface RetriedEvent {
  event_id: string;
  /** The status after the retry. */
  event_status: EventStatus;
}

/** Of `POST /events/retry`: the counts of one request, or the sum of several. */
export interface RetrySummary {
  dry_run: boolean;
  matched: number;
  /** With `dry_run`: the number that would move. */
  moved: number;
  /** Counts by reason: `already_moved`, `not_retryable`, `write_failed`. */
  not_moved: Record<string, number>;
}

export interface RetryPage extends RetrySummary {
  /** More are retried once those that were retried before have advanced. */
  held_back?: boolean;
  /** Not null when one request did not process all. */
  next_cursor: string | null;
}

/** Of `GET /stats`. */
export interface Stats {
  counts: Record<EventStatus, number>;
  total: number;
  oldest_unfinished: {
    event_id: string;
    event_timestamp: string;
    event_status: EventStatus;
    age_seconds: number;
  } | null;
  as_of: string;
}

/** The body of `POST /uploads`. */
export interface NewUpload {
  filename: string;
  content_type: string;
  /** Bytes. */
  size: number;
  /** In hexadecimal. */
  checksum_sha256: string;
  metadata?: Metadata;
}

/** Its 201: a signed request to S3. */
export interface SignedUpload {
  event_id: string;
  event_timestamp: string;
  bucket: string;
  key: string;
  method: string;
  url: string;
  /** To send exactly. */
  headers: Record<string, string>;
  expires_at: string;
}

/** Its 200: the file of this Idempotency-Key is stored already. */
export interface ArrivedUpload {
  event_id: string;
  event_timestamp: string;
  bucket: string;
  key: string;
  event_status: EventStatus;
}

/** Of `POST /upload`; only the fields that are used. */
export interface DirectUpload {
  event_id: string;
  key: string;
}
