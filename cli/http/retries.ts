import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "./errors";

/** Waits so many milliseconds; tests put their own in its place. */
export type Sleep = (ms: number) => Promise<unknown>;

export const sleep: Sleep = (ms) => delay(ms);

export const MAX_ATTEMPTS = 5;

const FIRST_PAUSE_MS = 500;

/** Whoever asks for more is not waited for. */
const MAX_RETRY_AFTER_MS = 300_000;

/** Twice as long each time; the jitter keeps clients that failed together from coming together. */
function pauseAfter(failures: number): number {
  return FIRST_PAUSE_MS * 2 ** (failures - 1) * (0.5 + Math.random() / 2);
}

/**
 * Tries until it goes well, at most five times.
 *
 * @param mayRepeat whether a failure is worth another try
 * @throws the last failure
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  wait: Sleep,
  mayRepeat: (failure: Failure) => boolean = ({ mayPass }) => mayPass,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      const worthwhile = error instanceof Failure && mayRepeat(error) && failures < MAX_ATTEMPTS;
      const askedMs = worthwhile ? (error.retryAfterMs ?? 0) : 0;
      if (!worthwhile || askedMs > MAX_RETRY_AFTER_MS) {
        throw error;
      }
      await wait(Math.max(askedMs, pauseAfter(failures)));
    }
  }
}
