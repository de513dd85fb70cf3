import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { AllowedCall } from "local-aws";
import { PROGRAM_DIR } from "../../start/programDir";
import type { Run } from "../../start/run";

/** An upload by the command line that was killed once, and started again. */
export interface KilledUpload {
  /** The line of the second command with `--json`. */
  result: Record<string, unknown>;
  /** How often S3 got each part whole, by part number. */
  sent: Map<number, number>;
  /** Of both commands. */
  seconds: [killed: number, resumed: number];
}

/** Counts the parts that S3 gets, in the order in which they are whole. */
export interface PartCounter {
  sent: Map<number, number>;
  /** For `intercept` of a run. */
  count(call: AllowedCall): void;
  /** Called after each part. */
  onPart: () => void;
}

export function countParts(): PartCounter {
  const counter: PartCounter = {
    sent: new Map(),
    count: ({ operation, request }) => {
      const number = Number(new URL(request.url, "http://s3").searchParams.get("partNumber"));
      if (operation === "s3:UploadPart") {
        counter.sent.set(number, (counter.sent.get(number) ?? 0) + 1);
        counter.onPart();
      }
    },
    onPart: () => undefined,
  };
  return counter;
}

function startUpload(run: Run, file: string, cache: string): ChildProcess & { lines: string } {
  const args = ["-r", "./tooling/register.js", "cli/main.ts", "--json", "upload", file];
  const child = spawn(process.execPath, args, {
    cwd: PROGRAM_DIR,
    env: {
      ...process.env,
      XDG_CACHE_HOME: cache,
      EVENTS_URL: String(run.outputs.managerUrl),
      EVENTS_KEY: String(run.outputs.managerApiKey),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const started = Object.assign(child, { lines: "" });
  child.stdout.on("data", (chunk: Buffer) => (started.lines += chunk.toString()));
  return started;
}

/**
 * Uploads a file by the command line, kills it when S3 has so many parts, and runs the same command again.
 *
 * @param parts from which number of parts on the first command is killed
 * @param cache the folder for the command's state
 */
export async function uploadKilled(
  run: Run,
  counter: PartCounter,
  { file, cache, parts }: { file: string; cache: string; parts: number },
): Promise<KilledUpload> {
  const begun = performance.now();
  const first = startUpload(run, file, cache);
  const ended = once(first, "close");
  counter.onPart = () => {
    if (counter.sent.size >= parts) {
      first.kill("SIGKILL");
    }
  };
  await ended;
  counter.onPart = () => undefined;
  const killed = performance.now();
  const second = startUpload(run, file, cache);
  await once(second, "close");
  return {
    result: JSON.parse(second.lines) as Record<string, unknown>,
    sent: counter.sent,
    seconds: [(killed - begun) / 1000, (performance.now() - killed) / 1000],
  };
}
