import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { PROGRAM_DIR } from "../../start/programDir";

export interface Ended {
  code: number | null;
  lines: string[];
  errors: string[];
}

/** Starts cli/main.ts, like `npm run events --`. */
export function spawnEvents(
  args: string[],
  environment: Record<string, string> = {},
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, ["-r", "./tooling/register.js", "cli/main.ts", ...args], {
    cwd: PROGRAM_DIR,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** Runs a command to its end. */
export async function runEvents(
  args: string[],
  environment?: Record<string, string>,
): Promise<Ended> {
  const child = spawnEvents(args, environment);
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, lines: linesOf(output), errors: linesOf(errors) };
}
