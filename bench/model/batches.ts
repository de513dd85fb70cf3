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

/** Lambda polls each shard four times a second (https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html). */
export const POLL_SECONDS = 0.25;

/** Iterations; the batch and its duration converge in fewer. */
const ROUNDS = 50;

/** Expected records of a Poisson arrival, given at least one. */
function atLeastOneOf(expected: number): number {
  return expected < 1e-9 ? 1 : expected / -Math.expm1(-expected);
}

/**
 * Records of an average batch.
 *
 * Without a window, a batch holds the records since the last poll, or since the start of the previous
 * invocation; an empty poll invokes nothing. With a window, the first record opens it, and the batch
 * holds the records until its end.
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
