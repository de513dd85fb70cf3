import type { EventStatus, FileEvent } from "../events/event";
import type { UploadOutcome } from "./clients/client";

/** An observation of a run. Moments are kept in the order in which they happened. */
export type Moment =
  /** An object was written. */
  | { kind: "stored"; key: string; eTag: string; size: number }
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
  /** Whether its failure had been published, or is not to be. */
  alarmed: boolean;
}

/** An object at the end of a run. */
export interface StoredObject {
  key: string;
  /** Bytes. */
  size: number;
  /** Without quotes. */
  eTag: string;
  /** Of the stored bytes, in hexadecimal. */
  sha256: string;
}

/** The state after a run, with its observations. Lists may be in files: each loop reads them again. */
export interface World {
  /** The bucket's objects. */
  objects: Iterable<StoredObject>;
  rows: Iterable<FileEvent>;
  moments: Iterable<Moment>;
  outcomes: Iterable<UploadOutcome>;
  /** Bodies of the dead-letter queue's messages. */
  deadLetters: unknown[];
  /** The counts by status of the manager's `GET /stats`. */
  stats: Record<string, number>;
}
