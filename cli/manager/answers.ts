/**
 * What the two APIs answer with, as openapi.json describes it.
 */
import type { EventStatus, FileEvent } from "../events/event";

/** Of `GET /events`. */
export interface EventPage {
  events: FileEvent[];
  /** Null on the last page. */
  next_cursor: string | null;
}

/** Of `GET /events/{event_id}`. */
export interface EventDetails {
  event: FileEvent;
  /** Presigned: whoever has the URL may read the file until then. */
  download: { url: string; expires_at: string };
}

/** Of `POST /events/{event_id}/retry`. */
export interface RetriedEvent {
  event_id: string;
  /** The status that it is back in. */
  event_status: EventStatus;
}

/** Of `POST /events/retry`: one request's share, or the sum of several. */
export interface RetrySummary {
  dry_run: boolean;
  matched: number;
  /** With `dry_run`: how many would have moved. */
  moved: number;
  /** Counts by reason: `already_moved`, `not_retryable`, `write_failed`. */
  not_moved: Record<string, number>;
}

export interface RetryPage extends RetrySummary {
  /** Not null when one request had no time for all. */
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
}

/** Its 201: a presigned S3 form. */
export interface UploadForm {
  event_id: string;
  event_timestamp: string;
  bucket: string;
  key: string;
  url: string;
  /** All of them go before the file. */
  fields: Record<string, string>;
  expires_at: string;
  min_bytes: number;
  max_bytes: number;
}

/** Its 200: the Idempotency-Key's file is there already. */
export interface ArrivedUpload {
  event_id: string;
  event_timestamp: string;
  bucket: string;
  key: string;
  event_status: EventStatus;
}

/** Of `POST /upload`, as far as it is used here. */
export interface DirectUpload {
  event_id: string;
  key: string;
}
