/** Duration and billed memory of an invocation on AWS. */
export interface LambdaDuration {
  memoryMegabytes: number;
  /** Milliseconds of an invocation without its records. */
  baseMs: number;
  /** Milliseconds for each `concurrency` records. */
  waveMs: number;
  /** Records of one batch that are processed concurrently. */
  concurrency: number;
}

/**
 * Warm durations, estimated from typical calls within one region: DynamoDB 5 to 10 ms, S3 PUT 40 ms,
 * the first bytes of a GET 30 ms, SNS 20 ms; the rest is the handler's own time with its share of a
 * vCPU. They are fixed assumptions, since this machine's times are not AWS's. Memory and concurrency
 * are the program's.
 */
export const DURATIONS: Record<string, LambdaDuration> = {
  upload: { memoryMegabytes: 512, baseMs: 60, waveMs: 0, concurrency: 1 },
  record: { memoryMegabytes: 256, baseMs: 12, waveMs: 0, concurrency: 1 },
  process: { memoryMegabytes: 512, baseMs: 5, waveMs: 45, concurrency: 16 },
  notify: { memoryMegabytes: 256, baseMs: 40, waveMs: 10, concurrency: 32 },
};

/** For Lambdas not listed above: about one read and one write. */
const UNKNOWN: LambdaDuration = { memoryMegabytes: 256, baseMs: 50, waveMs: 0, concurrency: 1 };

export function durationOf(lambda: string): LambdaDuration {
  return (Object.hasOwn(DURATIONS, lambda) ? DURATIONS[lambda] : undefined) ?? UNKNOWN;
}

/** Milliseconds of an invocation with this average batch. */
export function invocationMs(lambda: string, batch: number): number {
  const { baseMs, waveMs, concurrency } = durationOf(lambda);
  return baseMs + waveMs * Math.max(1, batch / concurrency);
}

/** GB-seconds of an invocation with this average batch. */
export function invocationGbSeconds(lambda: string, batch: number): number {
  return (durationOf(lambda).memoryMegabytes / 1024) * (invocationMs(lambda, batch) / 1000);
}
