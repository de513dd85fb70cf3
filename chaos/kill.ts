import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { getCompileCacheDir } from "node:module";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import type { FileEvent } from "../events/event";
import { PROGRAM_DIR } from "../start/programDir";
import { arrivedBroken, type Violation, type World } from "./invariants";
import { type Outputs, readObjects, readRows, readStats } from "./run";
import { byClients, planUpload, sendUpload, type Target, type UploadOutcome } from "./uploads";

export interface KillOptions {
  uploads: number;
  seed: number;
  clients: number;
  /** Milliseconds that the second process gets to bring all to its end. */
  patienceMs: number;
}

export interface KillResult {
  /** For people. */
  text: string;
  broken: Violation[];
  /** Rows that were not `notified` yet when the second process began. */
  unfinished: number;
}

/** `npm start -- --data`, as a process of its own. */
interface Process {
  child: ChildProcess;
  target: Target;
  dynamo: DynamoDBClient;
  tableName: string;
  outputs: Outputs;
  close(): Promise<void>;
}

interface Ready {
  type: string;
  outputs: Outputs;
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

const SETTINGS = ["digestSeconds=1", "sweepMinutes=1", "stuckSeconds=3"];

/** @param folder for all that it writes, also for what a killed process cannot remove */
async function start(folder: string): Promise<Process> {
  const cache = getCompileCacheDir();
  const child = spawn(
    process.execPath,
    [
      ...["-r", path.join(PROGRAM_DIR, "tooling", "register.js"), "start/main.ts"],
      ...["--json", "--port", "0", "--data", path.join(folder, "data")],
      ...SETTINGS.flatMap((setting) => ["--config", setting]),
    ],
    {
      cwd: PROGRAM_DIR,
      env: {
        ...process.env,
        TMPDIR: folder,
        // What was compiled would lie in the folder, too, and be made anew.
        ...(cache !== undefined && { NODE_COMPILE_CACHE: path.dirname(cache) }),
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const exited = once(child, "close");
  const ready = await new Promise<Ready>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (text) => {
      const line = JSON.parse(text) as Ready;
      if (line.type === "ready") {
        resolve(line);
      }
    });
    void exited.then(() => {
      reject(new Error("The run ended before it was ready; standard error says why."));
    });
  });
  const { endpoint, region, accessKeyId, secretAccessKey, outputs } = ready;
  const { tableName, ...target } = outputs;
  const client = { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
  // Whoever put an object and got no answer does not know whether it is there, and puts no second.
  const s3 = new S3Client({ ...client, maxAttempts: 1 });
  const dynamo = new DynamoDBClient(client);
  return {
    child,
    target: { ...target, s3 },
    dynamo,
    tableName,
    outputs,
    close: async () => {
      child.kill("SIGKILL");
      await exited;
      s3.destroy();
      dynamo.destroy();
    },
  };
}

/** Sends uploads until half of them are answered, then kills the process under the rest. */
async function uploadAndKill(first: Process, options: KillOptions): Promise<UploadOutcome[]> {
  const { uploads, clients, seed } = options;
  const outcomes: UploadOutcome[] = [];
  const dead = new AbortController();
  await byClients(uploads, clients, async (index) => {
    if (dead.signal.aborted) {
      return;
    }
    const outcome = await sendUpload(first.target, planUpload(seed, index), seed, dead.signal);
    outcomes.push(outcome);
    if (outcomes.length === Math.ceil(uploads / 2)) {
      first.child.kill("SIGKILL");
      dead.abort();
    }
  });
  return outcomes;
}

/** Sends what the first process did not answer: a good client repeats it with the same key. */
async function uploadRest(
  second: Process,
  outcomes: UploadOutcome[],
  { uploads, clients, seed }: KillOptions,
): Promise<UploadOutcome[]> {
  const sent = new Map(outcomes.map((outcome) => [outcome.upload.index, outcome]));
  const final: UploadOutcome[] = [];
  await byClients(uploads, clients, async (index) => {
    const before = sent.get(index);
    const upload = planUpload(seed, index);
    const done = before && (upload.way === "direct" || before.answer);
    final.push(done ? before : await sendUpload(second.target, upload, seed));
  });
  return final;
}

function isSettled({ event_status }: FileEvent): boolean {
  return event_status === "notified" || event_status === "failed";
}

async function untilSettled(second: Process, patienceMs: number): Promise<Omit<World, "moments">> {
  const { dynamo, tableName, target } = second;
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const objects = await readObjects(target.s3, target.bucketName);
    const rows = await readRows(dynamo, tableName);
    const settled = new Set(rows.filter(isSettled).map(({ event_info }) => event_info.Key));
    const quiet = rows.every(isSettled) && objects.every(({ key }) => settled.has(key));
    if (quiet || performance.now() > deadline) {
      const stats = await readStats(second.outputs);
      return { objects, rows, outcomes: [], deadLetters: [], stats };
    }
    await sleep(200);
  }
}

/**
 * Kills a run that keeps its data (`kill -9`) in the middle of the uploads, starts it again, and
 * checks that every object that it had stored reaches `notified`.
 */
export async function killRun(options: KillOptions): Promise<KillResult> {
  const folder = mkdtempSync(path.join(tmpdir(), "s3-uploader-kill-"));
  const processes: Process[] = [];
  const launch = async () => {
    const launched = await start(folder);
    processes.push(launched);
    return launched;
  };
  try {
    const startedAt = performance.now();
    const before = await uploadAndKill(await launch(), options);
    await processes[0]?.close();
    const second = await launch();
    const rows = await readRows(second.dynamo, second.tableName);
    const unfinished = rows.filter((row) => !isSettled(row)).length;
    const outcomes = await uploadRest(second, before, options);
    const world = { ...(await untilSettled(second, options.patienceMs)), outcomes };
    const broken = arrivedBroken(world);
    const statuses = Map.groupBy(world.rows, ({ event_status }) => event_status);
    const lines = [
      `kill -9 in the middle of ${options.uploads} uploads, seed ${options.seed}`,
      `  answered before the kill  ${before.filter(({ error }) => error === undefined).length}`,
      `  cut off by the kill       ${before.filter(({ error }) => error !== undefined).length}`,
      `  rows at the new start     ${rows.length}, of them on their way ${unfinished}`,
      `  objects stored            ${world.objects.length}`,
      `  rows                      ${world.rows.length}`,
      ...[...statuses].map(([status, { length }]) => `    ${status.padEnd(24)}${length}`),
      `  time                      ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
      ...broken.map(
        ({ invariant, message, eventIds }) =>
          `Invariant ${invariant} is broken: ${message}: ${eventIds.join(", ")}`,
      ),
      ...(broken.length === 0 ? ["Every stored object reached notified."] : []),
    ];
    return { text: lines.join("\n"), broken, unfinished };
  } finally {
    await Promise.all(processes.map((launched) => launched.close()));
    rmSync(folder, { recursive: true, force: true });
  }
}
