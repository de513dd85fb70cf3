/**
 * The upload API writes the row of a file right after the file. Until the grace period is over, the
 * sweeper does not look for the row.
 */

/** Seconds; no upload Lambda that started before is still running. */
const MAX_GRACE_SECONDS = 120;

/** Seconds, for short settings: clock skew and a request in flight. */
const MIN_GRACE_SECONDS = 2;

/** Age in seconds, by the time in an upload's key, at which the sweeper looks for its row, once. */
export function gracePeriodSeconds(stuckSeconds: number): number {
  return Math.min(Math.max(stuckSeconds / 4, MIN_GRACE_SECONDS), MAX_GRACE_SECONDS);
}

/**
 * Seconds between the time in an upload's key and the creation of its object within which the
 * record Lambda leaves the row to the upload API and the sweeper.
 *
 * It is half the grace period: when the sweeper looks, such an object has been in the bucket for
 * the other half. Clocks may differ by as much without an upload being missed by both.
 */
export function freshUploadSeconds(stuckSeconds: number): number {
  return gracePeriodSeconds(stuckSeconds) / 2;
}

/** An object's creation, as the bucket's event reports it. */
export interface ObjectCreation {
  /** Such as `ObjectCreated:Put`. */
  eventName: string;
  /** ISO 8601. */
  eventTime: string;
}

/**
 * Whether the upload Lambda put the object at the time in its key. The creation's own time counts,
 * so late delivery does not matter.
 *
 * @param event_timestamp the time in the key
 * @param freshSeconds see `freshUploadSeconds`
 */
export function isFreshUpload(
  { eventName, eventTime }: ObjectCreation,
  event_timestamp: string,
  freshSeconds: number,
): boolean {
  const difference = Date.parse(eventTime) - Date.parse(event_timestamp);
  return eventName === "ObjectCreated:Put" && Math.abs(difference) <= freshSeconds * 1000;
}
