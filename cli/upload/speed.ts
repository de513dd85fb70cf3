/** The speed is that of about the last ten seconds. */
const WINDOW_MS = 10_000;

/** A shorter time says nothing. */
const LEAST_MS = 1000;

const MAX_SAMPLES = 100;

/** Measures how fast bytes are sent. */
export interface Speed {
  /** @param bytes further ones; negative for those that have to be sent again */
  add(bytes: number): void;
  /** Bytes a second; undefined in the first second. */
  current(): number | undefined;
}

/** @param now milliseconds of a clock that never goes back */
export function measureSpeed(now: () => number = () => performance.now()): Speed {
  let total = 0;
  const samples = [{ at: now(), total }];
  const since = () => samples[0]?.at ?? 0;
  return {
    add: (bytes) => {
      total += bytes;
      const at = now();
      if (at - (samples.at(-1)?.at ?? 0) >= WINDOW_MS / MAX_SAMPLES) {
        samples.push({ at, total });
      }
      // The oldest one stays until another is old enough.
      while ((samples[1]?.at ?? Infinity) <= at - WINDOW_MS) {
        samples.shift();
      }
    },
    current: () => {
      const passed = now() - since();
      const bytes = total - (samples[0]?.total ?? 0);
      return passed < LEAST_MS ? undefined : Math.max(0, (bytes * 1000) / passed);
    },
  };
}
