/** How long one invocation of a Lambda takes on AWS, and how much memory it is billed for. */
export interface LambdaDuration {
  memoryMegabytes: number;
  /** Milliseconds that an invocation takes besides its records. */
  baseMs: number;
  /** Milliseconds for as many records as are worked on at a time. */
  waveMs: number;
  /** Records of one batch that are worked on at a time. */
  concurrency: number;
}

/**
 * Warm durations, put together from what the calls of each Lambda typically take within one region:
 * DynamoDB 5 to 10 ms, S3 PUT 40 ms, the first bytes of a GET 30 ms, SNS 20 ms; the rest is the
 * handler's own time with its share of a vCPU. They are assumptions, and fixed ones: what a busy
 * machine needs for the same says nothing about AWS. Memory and concurrency are the program's own.
 */
export const DURATIONS: Record<string, LambdaDuration> = {
  upload: { memoryMegabytes: 512, baseMs: 60, waveMs: 0, concurrency: 1 },
  record: { memoryMegabytes: 256, baseMs: 12, waveMs: 0, concurrency: 1 },
  process: { memoryMegabytes: 512, baseMs: 5, waveMs: 45, concurrency: 16 },
  notify: { memoryMegabytes: 256, baseMs: 40, waveMs: 10, concurrency: 32 },
};

/** For Lambdas that are in no list: one read and one write, or the like. */
const UNKNOWN: LambdaDuration = { memoryMegabytes: 256, baseMs: 50, waveMs: 0, concurrency: 1 };

export function durationOf(lambda: string): LambdaDuration {
  return (Object.hasOwn(DURATIONS, lambda) ? DURATIONS[lambda] : undefined) ?? UNKNOWN;
}

/** Milliseconds of an invocation with a batch of so many records on average. */
export function invocationMs(lambda: string, batch: number): number {
  const { baseMs, waveMs, concurrency } = durationOf(lambda);
  return baseMs + waveMs * Math.max(1, batch / concurrency);
}

/** GB-seconds of an invocation with a batch of so many records on average. */
export function invocationGbSeconds(lambda: string, batch: number): number {
  return (durationOf(lambda).memoryMegabytes / 1024) * (invocationMs(lambda, batch) / 1000);
}
