import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createDynamoDb } from "local-aws";
import type { FileEvent } from "../events/event";
import { type Clients, clientsOf, scanEvents } from "../testing/clients";
import { type Line, type Runner, startRunner } from "../testing/startProcess";
import type { Client, Target, UploadOutcome } from "./clients/client";
import { planUpload } from "./clients/plan";
import { byClients, sendUpload } from "./clients/send";
import { violationsOfFinalState } from "./invariants/invariants";
import { violationsOfIndex } from "./invariants/totals";
import type { Violation } from "./invariants/violation";
import { listKeys, type Outputs, readStored, type Stored } from "./readWorld";

export interface KillOptions {
  uploads: number;
  seed: number;
  clients: number;
  /** Maximum milliseconds for the second process to finish all events. */
  patienceMs: number;
}

export interface KillResult {
  /** The report. */
  text: string;
  broken: Violation[];
  /** Rows that were unfinished when the second process started. */
  unfinished: number;
}

/** `npm start -- --data`, in a process of its own, with clients for it. */
interface Launched {
  runner: Runner;
  target: Target;
  clients: Clients;
  outputs: Outputs;
  dispose(): Promise<void>;
}

/** The JSON line `ready` of `npm start -- --json`. */
interface Ready {
  outputs: Outputs;
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

const SETTINGS = ["digestSeconds=1", "sweepMinutes=1", "stuckSeconds=3"];

/** @param dataFolder keeps the run's data */
async function launch(dataFolder: string): Promise<Launched> {
  const settings = SETTINGS.flatMap((setting) => ["--config", setting]);
  const runner = startRunner(["--json", "--port", "0", "--data", dataFolder, ...settings]);
  const ready = (await runner.json(({ type }) => type === "ready")) as Line & Ready;
  const { endpoint, region, accessKeyId, secretAccessKey, outputs } = ready;
  const { uploadUrl, uploadApiKey, bucketName, managerUrl, managerApiKey } = outputs;
  const credentials = { accessKeyId, secretAccessKey };
  // A put without an answer may have stored the object: a retry would be a second event.
  const clients = clientsOf({ endpoint, region, credentials }, { s3Attempts: 1 });
  return {
    runner,
    target: { uploadUrl, uploadApiKey, managerUrl, managerApiKey, bucketName, s3: clients.s3 },
    clients,
    outputs,
    dispose: async () => {
      await runner.dispose();
      clients.destroy();
    },
  };
}

/** Sends uploads, and kills the process when half of them are answered. */
async function uploadAndKill(first: Launched, options: KillOptions): Promise<UploadOutcome[]> {
  const { uploads, clients, seed } = options;
  const outcomes: UploadOutcome[] = [];
  const killed = new AbortController();
  const client: Client = { target: first.target, seed, acts: false, signal: killed.signal };
  await byClients(uploads, clients, async (index) => {
    if (killed.signal.aborted) {
      return;
    }
    const { outcome } = await sendUpload(client, planUpload(seed, index));
    outcomes.push(outcome);
    if (outcomes.length === Math.ceil(uploads / 2)) {
      first.runner.process.kill("SIGKILL");
      killed.abort();
    }
  });
  return outcomes;
}

/** Sends the uploads that the first process did not answer, with the same Idempotency-Keys. */
async function uploadRest(
  second: Launched,
  outcomes: UploadOutcome[],
  { uploads, clients, seed }: KillOptions,
): Promise<UploadOutcome[]> {
  const sent = new Map(outcomes.map((outcome) => [outcome.upload.index, outcome]));
  const final: UploadOutcome[] = [];
  const client: Client = { target: second.target, seed, acts: false };
  await byClients(uploads, clients, async (index) => {
    const before = sent.get(index);
    const upload = planUpload(seed, index);
    const done = before && (upload.way === "direct" || before.answer);
    final.push(done ? before : (await sendUpload(client, upload)).outcome);
  });
  return final;
}

type TableItem = Record<string, Record<string, unknown>>;

/** All rows of a table, and all entries of its index, while no process has the data folder open. */
async function readClosedTable(dataFolder: string, tableName: string) {
  const db = createDynamoDb({
    path: path.join(dataFolder, "dynamodb"),
    region: "us-east-1",
    accountId: "000000000000",
  });
  const scan = async (IndexName?: string): Promise<TableItem[]> => {
    const items: TableItem[] = [];
    let ExclusiveStartKey: unknown;
    do {
      const input = { TableName: tableName, IndexName, ExclusiveStartKey };
      const { body } = await db.handle({
        method: "POST",
        url: "/",
        headers: { "x-amz-target": "DynamoDB_20120810.Scan" },
        body: Buffer.from(JSON.stringify(input)),
      });
      const answer = JSON.parse(body.toString()) as {
        Items: TableItem[];
        LastEvaluatedKey?: unknown;
      };
      items.push(...answer.Items);
      ExclusiveStartKey = answer.LastEvaluatedKey;
    } while (ExclusiveStartKey);
    return items;
  };
  await db.open();
  try {
    return { rows: await scan(), indexed: await scan("time-index") };
  } finally {
    await db.close();
  }
}

function isFinished({ event_status }: FileEvent): boolean {
  return event_status === "notified" || event_status === "failed";
}

/** Waits until the events of all objects are finished, and reads everything. */
async function untilFinished(
  { clients, outputs, target }: Launched,
  folder: string,
  patienceMs: number,
): Promise<Stored> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const keys = await listKeys(target.s3, target.bucketName);
    const rows = await scanEvents(clients.dynamo, outputs.tableName);
    const finished = new Set(rows.filter(isFinished).map(({ event_info }) => event_info.Key));
    const quiet = rows.every(isFinished) && keys.every((key) => finished.has(key));
    if (quiet || performance.now() > deadline) {
      return readStored(clients, outputs, folder);
    }
    await sleep(200);
  }
}

/**
 * Kills a run with a data folder (`kill -9`) in the middle of the uploads, and checks that its index has
 * exactly the rows of its table; restarts it, and checks that every stored object reaches `notified`.
 */
export async function killRun(options: KillOptions): Promise<KillResult> {
  const folder = mkdtempSync(path.join(tmpdir(), "s3-uploader-kill-"));
  const processes: Launched[] = [];
  const next = async () => {
    const launched = await launch(folder);
    processes.push(launched);
    return launched;
  };
  try {
    const startedAt = performance.now();
    const before = await uploadAndKill(await next(), options);
    const [first] = processes;
    await first?.dispose();
    const closed = await readClosedTable(folder, first?.outputs.tableName ?? "");
    const second = await next();
    const rows = await scanEvents(second.clients.dynamo, second.outputs.tableName);
    const unfinished = rows.filter((row) => !isFinished(row)).length;
    const outcomes = await uploadRest(second, before, options);
    const stored = await untilFinished(second, folder, options.patienceMs);
    const world = { ...stored, outcomes, deadLetters: [] };
    const broken = [...violationsOfIndex(closed), ...violationsOfFinalState(world)];
    const finalRows = [...world.rows];
    const statuses = Map.groupBy(finalRows, ({ event_status }) => event_status);
    const lines = [
      `kill -9 in the middle of ${options.uploads} uploads, seed ${options.seed}`,
      `  answered before the kill  ${before.filter(({ error }) => error === undefined).length}`,
      `  cut off by the kill       ${before.filter(({ error }) => error !== undefined).length}`,
      `  rows after the kill       ${closed.rows.length}, in the index ${closed.indexed.length}`,
      `  rows at the restart       ${rows.length}, of them unfinished ${unfinished}`,
      `  objects stored            ${[...world.objects].length}`,
      `  rows                      ${finalRows.length}`,
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
    await Promise.all(processes.map((launched) => launched.dispose()));
    rmSync(folder, { recursive: true, force: true });
  }
}
