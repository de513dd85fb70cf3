import { createHash, randomInt } from "node:crypto";

/** The first number that is no seed. */
export const SEED_LIMIT = 2 ** 32;

/** A seed for who has none. */
export function newSeed(): number {
  return randomInt(SEED_LIMIT);
}

/**
 * The number from 0 up to, not including, 1 that belongs to a seed and a name: always the same one
 * for both, and to all appearance unrelated for any other. That each choice has a name of its own,
 * and no place in a common sequence, is what keeps it apart from all others.
 */
export function draw(seed: number, ...name: (string | number)[]): number {
  const digest = createHash("sha256")
    .update(JSON.stringify([seed, ...name]))
    .digest();
  // As many bits as a double takes.
  return Number(digest.readBigUInt64BE() >> 11n) / 2 ** 53;
}
