import type { ItemChange } from "../changeFeed";
import type { Item } from "../dynalite";
import type { StreamViewType } from "../engine";

/** A stream record, as Lambda gets it. */
export interface StreamRecord {
  eventID: string;
  eventName: ItemChange["eventName"];
  eventVersion: "1.1";
  eventSource: "aws:dynamodb";
  awsRegion: string;
  eventSourceARN: string;
  dynamodb: {
    /** Seconds since 1970, whole. */
    ApproximateCreationDateTime: number;
    Keys: Item;
    NewImage?: Item;
    OldImage?: Item;
    /** 21 digits, always growing. */
    SequenceNumber: string;
    SizeBytes: number;
    StreamViewType: StreamViewType;
  };
}

/** A record at its place in the log. */
export interface StreamEntry {
  /** 1 for the log's first record, then 2, 3, … */
  position: number;
  record: StreamRecord;
  /** The record's size as JSON, in bytes. */
  bytes: number;
  /** `undefined` while the row is being written; `false` if that failed: nothing happened. */
  written?: boolean;
}

/** How long DynamoDB keeps a stream's records. */
export const RETENTION_SECONDS = 24 * 60 * 60;

/** The log's place of a record. */
export function positionOf(record: StreamRecord): number {
  return Number(record.dynamodb.SequenceNumber.slice(1));
}

/** The leading 1 gives all numbers one length, so that their order as text is their order. */
export function sequenceNumberOf(position: number): string {
  return `1${String(position).padStart(20, "0")}`;
}

/** A record at its place, not written yet. */
export function entryOf(record: StreamRecord): StreamEntry {
  const bytes = Buffer.byteLength(JSON.stringify(record));
  return { position: positionOf(record), record, bytes };
}
