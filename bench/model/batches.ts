import { invocationMs } from "./durations";

/** How an event source mapping gathers the records of a stream. */
export interface Batching {
  /** Records of this Lambda for each upload, after the filters. */
  recordsPerUpload: number;
  /** Most records of one invocation. */
  batchSize: number;
  /** Seconds for which records gather after the first one. */
  windowSeconds: number;
}

/** Lambda looks into each shard four times a second (https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html). */
export const POLL_SECONDS = 0.25;

/** More than enough for the batch and its duration to agree. */
const ROUNDS = 50;

/** Records that come within a time at random, given that at least one comes. */
function atLeastOneOf(expected: number): number {
  return expected < 1e-9 ? 1 : expected / -Math.expm1(-expected);
}

/**
 * Records of an average batch.
 *
 * Without a window, a batch is what has come since the last look, or while the invocation before
 * was under way; empty looks invoke nothing. With one, the first record opens the window, and what
 * comes until its end comes along.
 *
 * @param recordsPerSecond in one shard
 */
export function averageBatch(
  lambda: string,
  { batchSize, windowSeconds }: Batching,
  recordsPerSecond: number,
): number {
  let batch = 1;
  for (let round = 0; round < ROUNDS; round += 1) {
    const busySeconds = invocationMs(lambda, batch) / 1000;
    const gathered =
      windowSeconds > POLL_SECONDS
        ? 1 + recordsPerSecond * Math.max(windowSeconds, busySeconds)
        : atLeastOneOf(recordsPerSecond * Math.max(POLL_SECONDS, busySeconds));
    batch = Math.min(batchSize, gathered);
  }
  return batch;
}
