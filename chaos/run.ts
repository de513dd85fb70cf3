import { setTimeout as sleep } from "node:timers/promises";
import { paginateListObjectsV2, type S3Client } from "@aws-sdk/client-s3";
import type { FaultReport } from "local-aws";
import { type Run, startRun } from "../start/run";
import { clientsOf, scanEvents } from "../testing/clients";
import { UNTHROTTLED } from "../testing/unthrottled";
import { isS3Event, type Violation, violationsOf } from "./invariants";
import { type Mix, MIXES } from "./mixes";
import { Observer } from "./observer";
import { byClients, planUpload, sendUpload, type UploadOutcome } from "./uploads";
import type { World } from "./world";

export interface ChaosOptions {
  uploads: number;
  seed: number;
  faults: Mix;
  /** Concurrent uploads. */
  clients: number;
  /** Maximum milliseconds with faults after the last upload. */
  patienceMs: number;
}

/** The result of a chaos run. */
export interface ChaosResult {
  options: ChaosOptions;
  world: World;
  broken: Violation[];
  observer: Observer;
  faults: FaultReport;
  /** Whether all events finished under faults; otherwise the faults were stopped before. */
  quietUnderFaults: boolean;
  /** From the first upload until nothing changes any more. */
  milliseconds: number;
}

/** The stack's outputs that a client needs. */
export interface Outputs {
  uploadUrl: string;
  uploadApiKey?: string;
  bucketName: string;
  tableName: string;
  managerUrl: string;
  managerApiKey: string;
}

const EMAIL = "people@example.com";
const ALARM_EMAIL = "operations@example.com";

const CONFIG = {
  email: EMAIL,
  alarmEmail: ALARM_EMAIL,
  digestSeconds: "1",
  // Every 1.5 s, at the scale below.
  sweepMinutes: "5",
  stuckSeconds: "5",
  // While a row waits in the stream, each sweep counts an attempt.
  maxAttempts: "100",
  ...UNTHROTTLED,
};

/** A minute becomes 0.3 s. */
const DELAY_SCALE = 0.005;

/** Longer than any pause before a retry, at this scale. */
const QUIET_MS = 2_000;

/** Maximum time for the rest, after the faults were stopped. */
const LAST_WAIT_MS = 60_000;

/** Every object of the bucket. */
export async function readObjects(s3: S3Client, bucket: string): Promise<World["objects"]> {
  const objects: World["objects"] = [];
  for await (const { Contents: contents = [] } of paginateListObjectsV2(
    { client: s3 },
    { Bucket: bucket },
  )) {
    objects.push(...contents.map(({ Key = "", Size = 0 }) => ({ bucket, key: Key, size: Size })));
  }
  return objects;
}

/** The counts by status of the manager's `GET /stats`. */
export async function readStats({ managerUrl, managerApiKey }: Outputs): Promise<World["stats"]> {
  const headers = { "x-api-key": managerApiKey };
  const answer = await fetch(`${managerUrl}/stats`, { headers });
  if (!answer.ok) {
    throw new Error(`GET /stats was answered ${answer.status}: ${await answer.text()}`);
  }
  return ((await answer.json()) as { counts: World["stats"] }).counts;
}

/** The bodies of the dead-letter queue's messages. */
function deadLettersOf(run: Run): unknown[] {
  return run.deadLetters().map(({ body }) => JSON.parse(body) as unknown);
}

/** Resolves with true once the events of all stored objects are finished and nothing runs. */
async function untilQuiet(
  run: Run,
  observer: Observer,
  stored: ReadonlySet<string>,
  patienceMs: number,
): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const isQuiet = performance.now() - observer.lastChange > QUIET_MS && observer.idle;
    if (isQuiet && observer.unfinished === 0) {
      const finished = observer.finishedKeys();
      const letters = deadLettersOf(run);
      if ([...stored].every((key) => finished.has(key)) && !letters.some(isS3Event)) {
        return true;
      }
    }
    await sleep(100);
  }
  return false;
}

/**
 * Runs the program with faults, uploads files, waits until all events are finished, and checks every
 * invariant.
 *
 * @throws what startRun throws
 */
export async function chaosRun(options: ChaosOptions): Promise<ChaosResult> {
  const { uploads, seed, faults, clients, patienceMs } = options;
  const observer = new Observer();
  const run = await startRun({
    port: 0,
    config: CONFIG,
    delayScale: DELAY_SCALE,
    faults: { seed, rules: MIXES[faults] },
    ...observer.hooks,
  });
  // An object that is put twice is two events, so the SDK may not retry.
  const { s3, dynamo, destroy } = clientsOf(run, { s3Attempts: 1 });
  const outputs = run.outputs as unknown as Outputs;
  const { uploadUrl, uploadApiKey, bucketName, tableName } = outputs;
  const stored = new Set<string>();
  run.onObjectCreated(({ key }) => stored.add(key));
  try {
    const startedAt = performance.now();
    const target = { uploadUrl, uploadApiKey, bucketName, s3 };
    const outcomes: UploadOutcome[] = [];
    await byClients(uploads, clients, async (index) => {
      outcomes.push(await sendUpload(target, planUpload(seed, index), seed));
    });
    const quietUnderFaults = await untilQuiet(run, observer, stored, patienceMs);
    run.faults?.stop();
    if (!quietUnderFaults) {
      await untilQuiet(run, observer, stored, LAST_WAIT_MS);
    }
    const milliseconds = performance.now() - startedAt;
    const world: World = {
      objects: await readObjects(s3, bucketName),
      rows: await scanEvents(dynamo, tableName),
      moments: await observer.moments(ALARM_EMAIL),
      outcomes,
      deadLetters: deadLettersOf(run),
      stats: await readStats(outputs),
    };
    return {
      options,
      world,
      broken: violationsOf(world),
      observer,
      faults: run.faults?.report() ?? { injected: {}, crashes: [] },
      quietUnderFaults,
      milliseconds,
    };
  } finally {
    destroy();
    await run.stop();
  }
}
