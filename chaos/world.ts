import type { EventStatus, FileEvent } from "../events/event";
import type { UploadOutcome } from "./uploads";

/** An observation of a run. Moments are kept in the order in which they happened. */
export type Moment =
  /** A row was written, or its status changed. */
  | { kind: "status"; eventId: string; to: EventStatus }
  /** A message was published, and delivered by mail. */
  | { kind: "published"; topic: Topic; messageId: string; eventIds: string[] }
  /** The publishing Lambda got SNS's answer. */
  | { kind: "acknowledged"; messageId: string }
  /** A stream Lambda was invoked. */
  | { kind: "invoked"; functionName: string; images: Image[] }
  /** A Lambda's process ended during an invocation. */
  | { kind: "died"; functionName: string; outcome: string };

/** The topic of processed files, or of failures. */
export type Topic = "notices" | "alarms";

/** The new image of a stream record. */
export interface Image {
  eventId: string;
  status: string;
  /** Whether its failure had been published. */
  alarmed: boolean;
}

/** The state after a run, with its observations. */
export interface World {
  /** The bucket's objects. */
  objects: { bucket: string; key: string; size: number }[];
  rows: FileEvent[];
  moments: Moment[];
  outcomes: UploadOutcome[];
  /** Bodies of the dead-letter queue's messages. */
  deadLetters: unknown[];
  /** The counts by status of the manager's `GET /stats`. */
  stats: Record<string, number>;
}
