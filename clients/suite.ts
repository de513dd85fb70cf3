import type { World } from "./world";

/** Thrown by a check that does not apply here: the reason is printed, nothing fails. */
export class Skipped extends Error {}

/** What the checks of one client share. */
export interface Checks {
  /** What every check of the run shares. */
  world: World;
  /** A folder of this client alone, which is empty at first. */
  folder: string;
  /** Runs one check and records its outcome; never rejects. */
  check: (name: string, run: () => Promise<void> | void) => Promise<void>;
  /** Records the outcome of a check that a client's own program made. */
  record: (outcome: Outcome) => void;
}

export interface Outcome {
  name: string;
  /** Why it failed. */
  error?: string;
  /** Why it was not made. */
  skipped?: string;
}

/** A client of the local cloud, as people use it. */
export interface Suite {
  /** For `--only`, such as `rclone`. */
  name: string;
  /** Runs with `--all` or `--only` alone: it takes long, or what others do in another way. */
  optional?: boolean;
  /** @returns why this machine cannot run it, such as `rclone is not installed` */
  missing(): string | undefined;
  run(checks: Checks): Promise<void>;
}

/** @throws Error with the message, unless the value is true */
export function assert(value: boolean, message: string): asserts value {
  if (!value) {
    throw new Error(message);
  }
}

const SHOWN = 600;

function show(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined || text.length <= SHOWN
    ? String(text)
    : `${text.slice(0, SHOWN)}… (${text.length} characters)`;
}

/** @throws Error with both values, unless they are the same as JSON */
export function assertEqual(actual: unknown, expected: unknown, what: string): void {
  assert(
    JSON.stringify(actual) === JSON.stringify(expected),
    `${what}: expected ${show(expected)}, got ${show(actual)}`,
  );
}

/** @throws Error with both values, unless the text contains the part */
export function assertContains(text: string, part: string, what: string): void {
  assert(text.includes(part), `${what}: expected ${show(part)} in ${show(text)}`);
}
