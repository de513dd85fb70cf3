import { type ApiError, asApiError, errorOf } from "./apiError";

/** How often a request that the throttle refused is sent again. */
const MAX_REPEATS = 5;

/** Milliseconds; where the API's answer does not say. */
const DEFAULT_WAIT = 1000;

function wait(milliseconds: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

/**
 * A fetch for one API. After a 429, all its requests wait for as long as the API asks, and the
 * refused one is sent again: the throttle is shared with the other operators, and what it refuses
 * has not been done. Any other error of the API is thrown as it came.
 *
 * @param send the browser's fetch
 */
export function pacedFetch(send: typeof fetch) {
  /** On `performance.now()`'s clock. */
  let pausedUntil = 0;

  async function attempt(url: string, init: RequestInit, repeats: number): Promise<Response> {
    const pause = pausedUntil - performance.now();
    if (pause > 0) {
      // Not all at once when the pause ends.
      await wait(pause + Math.random() * 500, init.signal);
    }
    const answer = await send(url, init);
    if (answer.ok) {
      return answer;
    }
    const error: ApiError = await errorOf(answer);
    if (error.status !== 429) {
      throw error;
    }
    const waiting = (error.retryAfterMs ?? DEFAULT_WAIT) * (repeats + 1);
    pausedUntil = Math.max(pausedUntil, performance.now() + waiting);
    if (repeats >= MAX_REPEATS || waiting > 60_000) {
      throw error;
    }
    return attempt(url, init, repeats + 1);
  }

  /** @throws ApiError; an `AbortError` when the signal ends the request */
  return async (url: string, init: RequestInit = {}): Promise<Response> => {
    try {
      return await attempt(url, init, 0);
    } catch (error) {
      if (init.signal?.aborted) {
        throw error;
      }
      throw asApiError(error);
    }
  };
}
