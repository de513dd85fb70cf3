import { type Random, randomOf } from "./random";

/** Something that reads what others send. */
export interface Target {
  name: string;
  /**
   * Makes one case.
   *
   * @returns the input for people, and what has it read: throws for a wrong result, and passes on what
   *   the reader throws
   */
  make(random: Random): { input: unknown; run: () => void };
  /** Whether an error is the reader's own clear answer to a wrong input. */
  isRefusal(error: unknown): boolean;
}

export interface Finding {
  target: string;
  number: number;
  problem: string;
  input: unknown;
}

export interface Report {
  target: string;
  cases: number;
  /** Those that were refused. */
  refused: number;
  slowestMs: number;
  slowestNumber: number;
}

/** Milliseconds of a case's CPU time that count as a hang. */
export const LIMIT_MS = 100;

/** From here on, a case is measured again: load and garbage collections pass. */
const SUSPECT_MS = 10;

const REPETITIONS = 3;

interface Options {
  seed: number;
  /** The first case's number. */
  from: number;
  cases: number;
  /** Called with each case before it runs. */
  onCase?: (target: string, number: number) => void;
}

/** Runs cases of one target. @returns what was run, and what was found */
export function fuzz(
  target: Target,
  { seed, from, cases, onCase }: Options,
): { report: Report; findings: Finding[] } {
  const report = { target: target.name, cases, refused: 0, slowestMs: 0, slowestNumber: from };
  const findings: Finding[] = [];
  for (let number = from; number < from + cases; number += 1) {
    onCase?.(target.name, number);
    const { input, run } = target.make(randomOf(seed, target.name, number));
    const found = (problem: string) =>
      findings.push({ target: target.name, number, problem, input });
    const started = performance.now();
    try {
      run();
    } catch (error) {
      if (target.isRefusal(error)) {
        report.refused += 1;
      } else {
        found(error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
    }
    let milliseconds = performance.now() - started;
    if (milliseconds > SUSPECT_MS) {
      milliseconds = Math.min(
        milliseconds,
        ...Array.from({ length: REPETITIONS }, () => cpuMs(run)),
      );
    }
    if (milliseconds > LIMIT_MS) {
      found(`It took ${milliseconds.toFixed(0)} ms.`);
    }
    if (milliseconds > report.slowestMs) {
      report.slowestMs = milliseconds;
      report.slowestNumber = number;
    }
  }
  return { report, findings };
}

/** Milliseconds of CPU time. */
function cpuMs(run: () => void): number {
  const before = process.cpuUsage();
  try {
    run();
  } catch {
    // It was judged before.
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
