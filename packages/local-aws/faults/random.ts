import { createHash, randomInt } from "node:crypto";

/** Seeds are below this. */
export const SEED_LIMIT = 2 ** 32;

/** A random seed. */
export function newSeed(): number {
  return randomInt(SEED_LIMIT);
}

/**
 * The number from 0 up to, not including, 1 that belongs to a seed and a name: always the same one
 * for both, and statistically independent of any other. Each choice has a name of its own instead of
 * a place in a common sequence, so it does not depend on the others.
 */
export function draw(seed: number, ...name: (string | number)[]): number {
  const digest = createHash("sha256")
    .update(JSON.stringify([seed, ...name]))
    .digest();
  // As many bits as a double takes.
  return Number(digest.readBigUInt64BE() >> 11n) / 2 ** 53;
}
