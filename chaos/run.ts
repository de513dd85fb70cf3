import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import { paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";
import type { FaultReport } from "local-aws";
import type { FileEvent } from "../events/event";
import { fromItem, type Item } from "../events/item";
import { type Run, startRun } from "../start/run";
import { brokenInvariants, carriesObjects, type Violation, type World } from "./invariants";
import { type Mix, MIXES } from "./mixes";
import { Observer } from "./observer";
import { byClients, planUpload, sendUpload, type UploadOutcome } from "./uploads";

export interface ChaosOptions {
  uploads: number;
  seed: number;
  faults: Mix;
  /** Uploads under way at one time. */
  clients: number;
  /** Milliseconds, after the last upload, for which the faults may go on. */
  patienceMs: number;
}

/** How a chaos run went. */
export interface ChaosResult {
  options: ChaosOptions;
  world: World;
  broken: Violation[];
  observer: Observer;
  faults: FaultReport;
  /** Whether the faults went on until all was quiet; otherwise they were ended before. */
  quietUnderFaults: boolean;
  /** From the first upload to quiet. */
  milliseconds: number;
}

/** What the program puts out, as far as a client needs it. */
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
  // A row may wait its turn in the stream for long, and each sweep counts an attempt meanwhile.
  maxAttempts: "100",
  // Not what is tried here: an upload that is refused is none.
  requestsPerSecond: "10000",
  burst: "5000",
};

/** Minutes become some tenths of a second. */
const DELAY_SCALE = 0.005;

/** Longer than any retry takes to begin, at this scale. */
const QUIET_MS = 2_000;

/** What is left to do once the faults have ended. */
const LAST_WAIT_MS = 60_000;

/** Every row of the event table. */
export async function readRows(dynamo: DynamoDBClient, tableName: string): Promise<FileEvent[]> {
  const rows: FileEvent[] = [];
  const pages = paginateScan({ client: dynamo }, { TableName: tableName, ConsistentRead: true });
  for await (const { Items: items = [] } of pages) {
    rows.push(...items.map((item) => fromItem(item as Item)));
  }
  return rows;
}

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

/** What the manager says of the number of events of each status. */
export async function readStats({ managerUrl, managerApiKey }: Outputs): Promise<World["stats"]> {
  const headers = { "x-api-key": managerApiKey };
  const answer = await fetch(`${managerUrl}/stats`, { headers });
  if (!answer.ok) {
    throw new Error(`GET /stats was answered ${answer.status}: ${await answer.text()}`);
  }
  return ((await answer.json()) as { counts: World["stats"] }).counts;
}

/** The bodies of the messages that are on the dead-letter queue. */
function deadLettersOf(run: Run): unknown[] {
  return run.deadLetters().map(({ body }) => JSON.parse(body) as unknown);
}

/** Resolves with true once every stored object's row is settled and nothing goes on any more. */
async function untilQuiet(
  run: Run,
  observer: Observer,
  stored: ReadonlySet<string>,
  patienceMs: number,
): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const still = performance.now() - observer.lastChange > QUIET_MS && observer.idle;
    if (still && observer.unsettled === 0) {
      const settled = observer.settledKeys();
      const letters = deadLettersOf(run);
      if ([...stored].every((key) => settled.has(key)) && !letters.some(carriesObjects)) {
        return true;
      }
    }
    await sleep(100);
  }
  return false;
}

/**
 * Runs the program with faults, sends it uploads, waits for quiet, and checks every invariant.
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
  const { endpoint, region, credentials } = run;
  const client = { endpoint, region, credentials };
  const dynamo = new DynamoDBClient(client);
  // An object put twice would be two events: the second try is left to the person at the machine.
  const s3 = new S3Client({ ...client, maxAttempts: 1 });
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
      rows: await readRows(dynamo, tableName),
      moments: await observer.moments(ALARM_EMAIL),
      outcomes,
      deadLetters: deadLettersOf(run),
      stats: await readStats(outputs),
    };
    return {
      options,
      world,
      broken: brokenInvariants(world),
      observer,
      faults: run.faults?.report() ?? { injected: {}, crashes: [] },
      quietUnderFaults,
      milliseconds,
    };
  } finally {
    s3.destroy();
    dynamo.destroy();
    await run.stop();
  }
}
