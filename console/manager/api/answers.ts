import type { EventKey, EventStatus, FileEvent } from "../../../events/event";

/** Of `GET /events`. */
export interface EventPage {
  events: FileEvent[];
  next_cursor: string | null;
}

/** Of `GET /events/{event_id}`. */
export interface EventDetails {
  event: FileEvent;
  download?: { url: string; expires_at: string };
  no_download?: { code: string; message: string };
  seconds_in_status?: Partial<Record<EventStatus, number>>;
}

/** Of `POST /events/retry`. */
export interface RetryManyAnswer {
  matched: number;
  moved: number;
  not_moved: Record<string, number>;
  next_cursor: string | null;
  /** The pipeline has to take up those that were retried, before more are. */
  held_back?: boolean;
}

/** Of `GET /stats`. */
export interface Stats {
  counts: Record<EventStatus, number>;
  total: number;
  oldest_unfinished: (EventKey & { event_status: EventStatus; age_seconds: number }) | null;
}

/** Of `GET /stats/hours`. */
export interface HourCounts {
  hours: { from: string; count: number }[];
}

/** Of `GET /links/{link_id}`, and an item of `GET /links`. */
export interface UploadLink {
  link_id: string;
  url: string;
  created_at: string;
  expires_at: string;
  status: "open" | "expired" | "revoked" | "used_up";
  files: { taken: number; stored: number };
  max_files?: number;
  /** Of one file. */
  max_bytes?: number;
  content_types?: string[];
  metadata?: Record<string, string>;
  note?: string;
  revoked_at?: string;
}

/** Of `GET /links`. */
export interface LinkPage {
  links: UploadLink[];
  next_cursor: string | null;
}

/** What `POST /links` takes. */
export interface NewLink {
  /** Seconds. */
  expires_in: number;
  max_files?: number;
  max_bytes?: number;
  content_types?: string[];
  metadata?: Record<string, string>;
  note?: string;
}

/** Of `GET /openapi.json`: what the empty state needs. */
export interface Description {
  paths: {
    "/upload": { servers: { url: string }[]; post: { security: Record<string, string[]>[] } };
  };
}
