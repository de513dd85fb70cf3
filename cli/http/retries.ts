import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../errors";

/** Waits this many milliseconds. Tests pass their own. */
export type Sleep = (ms: number) => Promise<unknown>;

export const sleep: Sleep = (ms) => delay(ms);

export const MAX_ATTEMPTS = 5;

const FIRST_PAUSE_MS = 500;

/** A longer Retry-After ends the retries. */
const MAX_RETRY_AFTER_MS = 300_000;

/** Exponential back-off with jitter. */
function pauseAfter(failures: number): number {
  return FIRST_PAUSE_MS * 2 ** (failures - 1) * (0.5 + Math.random() / 2);
}

/**
 * Retries transient failures, up to MAX_ATTEMPTS attempts in all.
 *
 * @param isRetryable of a failure. @default its `isTransient`
 * @throws the last failure
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  wait: Sleep,
  isRetryable: (failure: Failure) => boolean = ({ isTransient }) => isTransient,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      const retries = error instanceof Failure && isRetryable(error) && failures < MAX_ATTEMPTS;
      const retryAfterMs = retries ? (error.retryAfterMs ?? 0) : 0;
      if (!retries || retryAfterMs > MAX_RETRY_AFTER_MS) {
        throw error;
      }
      await wait(Math.max(retryAfterMs, pauseAfter(failures)));
    }
  }
}
