/** What the sweeper waits for, in seconds: no upload Lambda is at work any more after that time. */
const MAX_SETTLE_SECONDS = 120;

/** For runs in which all is quick: what clocks, and a request on its way, may take. */
const MIN_SETTLE_SECONDS = 2;

/**
 * How old the time in an upload's key must be, in seconds, for the sweeper to look once whether the
 * upload has its row.
 */
export function settleSeconds(stuckSeconds: number): number {
  return Math.min(Math.max(stuckSeconds / 4, MIN_SETTLE_SECONDS), MAX_SETTLE_SECONDS);
}

/**
 * How long after the time in its key, in seconds, an object of the upload API may come into the
 * bucket and still be the sweeper's business, if the API does not write the row itself.
 *
 * It is half of what the sweeper waits for: whatever is left to it has been in the bucket for the
 * other half when it looks, so that clocks may differ by as much, and nothing falls between the two.
 */
export function freshSeconds(stuckSeconds: number): number {
  return settleSeconds(stuckSeconds) / 2;
}
