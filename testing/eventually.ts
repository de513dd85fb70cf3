import { setTimeout as delay } from "node:timers/promises";

/**
 * Calls `look` until it finds something, and resolves with that. It has no time limit of its own:
 * Mocha's timeout ends the wait.
 */
export async function eventually<T>(
  look: () => T | undefined | Promise<T | undefined>,
  pauseMs = 10,
): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
    await delay(pauseMs);
  }
}
