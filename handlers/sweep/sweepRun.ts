import type { FileEvent } from "../../events/event";
import { logInfo } from "../../runtime/log";
import { type CountedEventStore, putEvent } from "../../store/eventStore";

/** What a run of the sweeper has done, as its metrics tell it. */
export interface SweepCounts {
  /** Rows whose Lambda gets them once more. */
  DrivenOn: number;
  /** Rows that became `failed` after too many attempts. */
  GivenUp: number;
  /** Rows that were written for objects of the listing that had none. */
  WrittenFromListing: number;
  /** Rows that were written for objects of dead letters that had none. */
  WrittenFromDeadLetters: number;
  /** Dead letters that were seen and left in the queue, for people. */
  DeadLettersLeft: number;
  /** Errors, of which the log tells. */
  Errors: number;
}

/** What the parts of one run share. */
export interface SweepRun {
  store: CountedEventStore;
  /** How long a row may stay as it is. */
  stuckSeconds: number;
  /** Whether there is time for another page. */
  hasTime: () => boolean;
  counts: SweepCounts;
}

export function isoBefore(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}

/** Puts the row of an object, unless it is there. Returns whether this call wrote it. */
export async function putMissing(run: SweepRun, event: FileEvent): Promise<boolean> {
  const written = await putEvent(run.store, event);
  if (written) {
    logInfo("The missing row was written.", {
      event_id: event.event_id,
      key: event.event_info.Key,
    });
  }
  return written;
}
