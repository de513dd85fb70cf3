import { ApiError } from "../../shared/apiError";

/** How often a task runs, in milliseconds. */
export interface Pace {
  /** While something changes. */
  fastest: number;
  /** While nothing changes. */
  slowest: number;
}

/** The wait doubles up to this after errors. */
const SLOWEST_AFTER_ERRORS = 60_000;

/**
 * The wait before the next run of a poll: it grows while nothing changes and after errors, and is
 * never shorter than an answer's `Retry-After`.
 *
 * @param before the wait before the run
 * @param outcome whether the run found a change, or its error
 */
export function nextWait(pace: Pace, before: number, outcome: boolean | ApiError): number {
  if (outcome instanceof ApiError) {
    const longer = Math.min(SLOWEST_AFTER_ERRORS, Math.max(before, pace.fastest) * 2);
    return Math.max(longer, outcome.retryAfterMs ?? 0);
  }
  return outcome ? pace.fastest : Math.min(pace.slowest, before * 1.5);
}
