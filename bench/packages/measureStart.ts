import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import { promisify } from "node:util";
import { lambdaNodeFlags } from "local-aws";
import { PROGRAM_DIR } from "../../start/programDir";
import type { Endpoint } from "./endpoint";
import type { ProgramHandler } from "./programHandlers";
import type { Unpacked } from "./variants";

/** From the start of a process to the end of its first event. */
export interface Start {
  wallMs: number;
  /** User and system time of the process. */
  cpuMs: number;
}

/** Whether Node starts without flags, or with those of Lambda's runtime, which make it slower. */
export type NodeFlags = "none" | "lambda";

/** The result of the first event, which is the same for every variant of a handler. */
export interface Outcome {
  /** Empty when the handler returned; otherwise the error's name. */
  error: string;
  /** Of an HTTP answer. */
  statusCode?: number;
  /** The AWS actions that were called, sorted. */
  calls: string[];
}

const START_TIMEOUT_MS = 60_000;

/** Runs in the measured process. It prints the measurement as its last line. */
const MEASURE = `
"use strict";
const [, , entry, event] = process.argv;
const context = { awsRequestId: "a-request", getRemainingTimeInMillis: () => 120_000 };
const end = (error, result) => {
  const wallMs = performance.now();
  const { user, system } = process.cpuUsage();
  const measured = { wallMs, cpuMs: (user + system) / 1000, error, statusCode: result?.statusCode };
  require("node:fs").writeSync(1, "\\n" + JSON.stringify(measured));
  process.exit(0);
};
require(entry)
  .handler(JSON.parse(event), context)
  .then((result) => end("", result), (error) => end(String(error?.name)));
`;

/** Writes the script that loads a package and measures it; resolves with its path. */
export async function writeMeasure(root: string): Promise<string> {
  const file = path.join(root, "measure.js");
  await writeFile(file, MEASURE);
  return file;
}

/** The function's environment variables, and those that Lambda adds. */
function environmentOf(
  { variables }: ProgramHandler,
  { variant, entry }: Unpacked,
  endpoint: Endpoint,
): Record<string, string> {
  const own = Object.entries(variables).map(([name, value]) => [
    name,
    // SDK clients send to the queue URL's own host.
    value.replace(/^https:\/\/sqs\.[^/]+/, endpoint.url),
  ]);
  return {
    ...(Object.fromEntries(own) as Record<string, string>),
    LAMBDA_TASK_ROOT: path.dirname(entry),
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: variant,
    AWS_SECRET_ACCESS_KEY: "a-secret",
    AWS_ENDPOINT_URL: endpoint.url,
    // Without an .aws folder, as on AWS.
    HOME: "/nonexistent",
    // The Lambda runtime finds its SDK by NODE_PATH.
    ...(variant === "runtime-sdk" && { NODE_PATH: path.join(PROGRAM_DIR, "node_modules") }),
  };
}

/**
 * Starts a new process, which loads the package and handles one event.
 *
 * @param measure the file of `writeMeasure`
 * @param flags whose flags Node gets: none, or those that Lambda's runtime sets
 * @throws when the package cannot be loaded, or the handler does not settle in time
 */
export async function measureStart(
  measure: string,
  handler: ProgramHandler,
  unpacked: Unpacked,
  endpoint: Endpoint,
  flags: NodeFlags,
): Promise<{ start: Start; outcome: Outcome }> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      ...(flags === "lambda" ? lambdaNodeFlags(handler.memoryMegabytes) : []),
      measure,
      unpacked.entry,
      JSON.stringify(handler.event),
    ],
    {
      cwd: path.dirname(unpacked.entry),
      env: environmentOf(handler, unpacked, endpoint),
      timeout: START_TIMEOUT_MS,
      maxBuffer: Infinity,
    },
  );
  const lastLine = stdout.slice(stdout.lastIndexOf("\n") + 1);
  const { wallMs, cpuMs, error, statusCode } = JSON.parse(lastLine) as Start &
    Omit<Outcome, "calls">;
  const calls = endpoint.takeCalls(unpacked.variant);
  return { start: { wallMs, cpuMs }, outcome: { error, statusCode, calls } };
}
