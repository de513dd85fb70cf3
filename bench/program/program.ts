import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { PROGRAM_DIR } from "../../start/programDir";
import type { MeasurePart } from "../part";
import { type Packing, type ProgramTimes, type ProgramVariant, VARIANTS } from "./figures";
import { programPart } from "./tables";

const PACKING: Record<ProgramVariant, Packing> = {
  warm: "bundle",
  cold: "bundle",
  callback: "codePaths",
};

const TIMEOUT_MS = 120_000;

const MIN_REPETITIONS = 5;

/**
 * Runs index.ts under mocks in a fresh process.
 *
 * @param cacheDir Node's compile cache
 * @throws when the program cannot be run
 */
export async function measureProgram(packing: Packing, cacheDir: string): Promise<ProgramTimes> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["-r", "./tooling/register.js", "bench/program/child.ts", packing],
    {
      cwd: PROGRAM_DIR,
      env: { ...process.env, NODE_COMPILE_CACHE: cacheDir },
      timeout: TIMEOUT_MS,
      maxBuffer: Infinity,
    },
  );
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as ProgramTimes;
}

/** The bench's part `program`: the steps from a new process to the last registered resource. */
export const program: MeasurePart = async ({ repetitions, progress }) => {
  const count = Math.max(MIN_REPETITIONS, repetitions);
  const root = await mkdtemp(path.join(tmpdir(), "bench-program-"));
  const warmDir = path.join(root, "warm");
  const times: Record<ProgramVariant, ProgramTimes[]> = { warm: [], cold: [], callback: [] };
  try {
    for (const variant of ["warm", "callback"] as const) {
      await measureProgram(PACKING[variant], warmDir);
    }
    for (let i = 1; i <= count; i += 1) {
      progress(`program: repetition ${i} of ${count}`);
      for (const variant of VARIANTS) {
        const cacheDir = variant === "cold" ? path.join(root, `cold-${i}`) : warmDir;
        times[variant].push(await measureProgram(PACKING[variant], cacheDir));
      }
    }
    return programPart(times);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
};
