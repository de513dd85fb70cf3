import type { S3Client } from "@aws-sdk/client-s3";
import type { S3EventRecord } from "aws-lambda";
import type { FileEvent } from "../../events/event";
import { deleteArrived } from "../../runtime/deletedEvents";
import { logInfo } from "../../runtime/log";
import type { GuardedEventStore } from "../../store/eventStore";
import type { LinkStore } from "../../store/links/linkStore";
import { putObjectRow } from "../../store/objectRows";
import { type PutOutcome, putUndeletedEvent } from "../../store/rows";

/** The metrics of one run. */
export interface SweepCounts {
  /** Stuck events that were redelivered. */
  DrivenOn: number;
  /** Events that became `failed` after too many redeliveries. */
  GivenUp: number;
  /** Lambdas of the stream that are not invoked for their events. */
  SilentConsumers: number;
  /** Missing rows that were written for uploads in the bucket's listing. */
  WrittenFromListing: number;
  /** Missing rows that were written for objects in dead letters. */
  WrittenFromDeadLetters: number;
  /** Dead letters that were left in the queue, for an operator. */
  DeadLettersLeft: number;
  /** Parts of the run that failed; the log has the errors. */
  Errors: number;
}

/** The metrics of a run that has done nothing yet. */
export function noCounts(): SweepCounts {
  return {
    DrivenOn: 0,
    GivenUp: 0,
    SilentConsumers: 0,
    WrittenFromListing: 0,
    WrittenFromDeadLetters: 0,
    DeadLettersLeft: 0,
    Errors: 0,
  };
}

/** The state that the parts of one run share. */
export interface SweepRun {
  store: GuardedEventStore & LinkStore;
  s3: S3Client;
  /** Seconds after which an event without progress is stuck. */
  stuckSeconds: number;
  /** Whether there is time for another page. */
  hasTime: () => boolean;
  counts: SweepCounts;
}

/** The time so many seconds ago; ISO 8601. */
export function isoBefore(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}

/** @returns whether the row was written */
async function finish({ s3 }: SweepRun, outcome: PutOutcome, event: FileEvent): Promise<boolean> {
  if (outcome === "deleted") {
    await deleteArrived(s3, event);
  } else if (outcome === "written") {
    logInfo("Missing row written.", { event_id: event.event_id, key: event.event_info.Key });
  }
  return outcome === "written";
}

/** Writes a listed upload's row, unless it exists. @returns whether this call wrote it */
export async function putMissingRow(run: SweepRun, event: FileEvent): Promise<boolean> {
  return finish(run, await putUndeletedEvent(run.store, event, "sweep"), event);
}

/** Writes a created object's row, unless it has one. @returns whether this call wrote it */
export async function putMissingObjectRow(run: SweepRun, record: S3EventRecord): Promise<boolean> {
  const { event, outcome } = await putObjectRow(run.store, record, "sweep");
  return finish(run, outcome, event);
}
