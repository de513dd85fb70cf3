import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { getCompileCacheDir } from "node:module";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { PROGRAM_DIR } from "../start/programDir";
import { startNodeOptions } from "./startScript";

/** One JSON line of a run. */
export type Line = { type: string } & Record<string, unknown>;

/** A local run in a process of its own. */
export interface Runner {
  process: ChildProcess;
  /** Its folder for temporary files. */
  temporary: string;
  /** All lines of standard output so far. */
  lines: string[];
  /** All of standard error so far. */
  errors(): string;
  /** Resolves with the first past or future line that passes; rejects when the run ends before. */
  line(passes: (line: string) => boolean): Promise<string>;
  /** Like `line`, for JSON lines of `--json`. */
  json(passes: (line: Line) => boolean): Promise<Line>;
  /** Resolves with the exit code when the process ends. */
  exited: Promise<number | null>;
  /** Kills the process, if it still runs, and removes its temporary files. */
  dispose(): Promise<void>;
}

/** Starts start/main.ts, like the script `start` of package.json. */
export function startRunner(
  args: string[],
  programDir = PROGRAM_DIR,
  environment: NodeJS.ProcessEnv = {},
): Runner {
  const temporary = temporaryFolder();
  return watch(
    spawn(process.execPath, [...startNodeOptions(), "start/main.ts", ...args], {
      cwd: programDir,
      env: { ...environmentIn(temporary, programDir), ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    }),
    temporary,
  );
}

/**
 * Starts `npm start` in a process group of its own, like a terminal.
 *
 * @param options.cold with nothing cached, so that the start takes seconds
 */
export function startNpm(args: string[], { cold = false } = {}): Runner {
  const temporary = temporaryFolder();
  return watch(
    spawn("npm", ["start", "--silent", "--", ...args], {
      cwd: PROGRAM_DIR,
      env: {
        ...environmentIn(temporary, PROGRAM_DIR),
        ...(cold && { XDG_CACHE_HOME: temporary }),
      },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    }),
    temporary,
  );
}

/** A folder for the run's temporary files, since a killed run cannot remove them. */
function temporaryFolder(): string {
  return mkdtempSync(path.join(tmpdir(), "s3-uploader-runner-"));
}

/** @param programDir runs of the program share its caches; a copy has its own, in its folder */
function environmentIn(temporary: string, programDir: string): NodeJS.ProcessEnv {
  const environment = { ...process.env, TMPDIR: temporary };
  if (programDir !== PROGRAM_DIR) {
    const caches = path.join(programDir, ".caches");
    return { ...environment, XDG_CACHE_HOME: caches, NODE_COMPILE_CACHE: caches };
  }
  const shared = getCompileCacheDir();
  return {
    ...environment,
    NODE_COMPILE_CACHE: shared ? path.dirname(shared) : path.join(temporary, "compile-cache"),
  };
}

function watch(child: ChildProcessByStdio<null, Readable, Readable>, temporary: string): Runner {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let errors = "";
  let ended = false;
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  createInterface({ input: child.stdout }).on("line", (text) => {
    lines.push(text);
    waiting.forEach((check) => {
      check();
    });
  });
  const exited = once(child, "close").then(([code]) => {
    ended = true;
    waiting.forEach((check) => {
      check();
    });
    return code as number | null;
  });
  const line = (passes: (text: string) => boolean) =>
    new Promise<string>((resolve, reject) => {
      const check = () => {
        const found = lines.find(passes);
        if (found === undefined && !ended) {
          return;
        }
        waiting.delete(check);
        if (found === undefined) {
          reject(new Error(`The run ended without the line. It printed:\n${errors}`));
        } else {
          resolve(found);
        }
      };
      waiting.add(check);
      check();
    });
  return {
    process: child,
    temporary,
    lines,
    errors: () => errors,
    line,
    json: async (passes) =>
      JSON.parse(await line((text) => passes(JSON.parse(text) as Line))) as Line,
    exited,
    async dispose() {
      child.kill("SIGKILL");
      await exited;
      // The Lambdas of a killed run may still be ending.
      rmSync(temporary, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
}
