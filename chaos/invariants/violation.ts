/** The invariants that a chaos run checks, by their numbers in docs/architecture.md. */
const INVARIANTS = {
  1: "an object that S3 accepted gets exactly one row, however often and in whatever order its events arrive",
  2: "a status never goes backwards, except by an explicit retry",
  3: "a stream Lambda is invoked only for rows in its own status, never by its own writes",
  4: "every event that is not failed reaches notified, and a mail reports it; a mail is duplicated only by a crash or a lost answer between the publish and the status write",
  5: "one bad record never delays its neighbours, and is never dropped: it ends as failed with its error, or in the dead-letter queue",
  9: "an object under a prefix that the program hands out is written once, and never comes back after a delete; what was inspected is what is linked",
} as const;

/** Checks that have no number. */
export const STATS_ARE_EXACT = "GET /stats equals a full count";
export const INDEX_IS_EXACT = "time-index has exactly the rows of the table";

/** A broken invariant. */
export interface Violation {
  /** Number and text of the invariant. */
  invariant: string;
  message: string;
  /** Event ids, each with details in parentheses; object keys where there is no event. */
  eventIds: string[];
}

/** A violation, unless there are no events. */
export function violation(
  invariant: keyof typeof INVARIANTS | typeof STATS_ARE_EXACT | typeof INDEX_IS_EXACT,
  message: string,
  eventIds: string[],
): Violation[] {
  const name =
    typeof invariant === "number" ? `${invariant} (${INVARIANTS[invariant]})` : invariant;
  return eventIds.length === 0 ? [] : [{ invariant: name, message, eventIds }];
}
