import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../errors";

/** Waits this many milliseconds. Tests pass their own. */
export type Sleep = (ms: number) => Promise<unknown>;

export const sleep: Sleep = (ms) => delay(ms);

export interface RetryOptions {
  /** @default the failure's `isTransient` */
  isRetryable?: (failure: Failure) => boolean;
  /** In all. @default 5 */
  maxAttempts?: number;
}

export const MAX_ATTEMPTS = 5;

const FIRST_PAUSE_MS = 500;

const MAX_PAUSE_MS = 30_000;

/** A longer Retry-After ends the retries. */
const MAX_RETRY_AFTER_MS = 300_000;

/** Exponential back-off with jitter. */
function pauseAfter(failures: number): number {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), MAX_PAUSE_MS);
  return pause * (0.5 + Math.random() / 2);
}

/**
 * Retries transient failures.
 *
 * @throws the last failure
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  wait: Sleep,
  { isRetryable = ({ isTransient }) => isTransient, maxAttempts = MAX_ATTEMPTS }: RetryOptions = {},
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      const retries = error instanceof Failure && isRetryable(error) && failures < maxAttempts;
      const retryAfterMs = retries ? (error.retryAfterMs ?? 0) : 0;
      if (!retries || retryAfterMs > MAX_RETRY_AFTER_MS) {
        throw error;
      }
      await wait(Math.max(retryAfterMs, pauseAfter(failures)));
    }
  }
}
