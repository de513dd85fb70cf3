import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { type FaultReport, logicalName } from "local-aws";
import { type Run, startRun } from "../start/run";
import { type Clients, clientsOf } from "../testing/clients";
import { UNTHROTTLED } from "../testing/unthrottled";
import type { Client } from "./clients/client";
import { Uploads } from "./clients/uploads";
import { givenUpEvents, isS3Event, violationsOf } from "./invariants/invariants";
import type { Violation } from "./invariants/violation";
import { type Mix, MIXES } from "./mixes";
import { isFinished, Observer } from "./observe/observer";
import { type Progress, Rate } from "./progress";
import { type Outputs, readStored } from "./readWorld";
import { type Rest, untilRest, type Work, workText } from "./rest";
import type { World } from "./world";

export interface ChaosOptions {
  uploads: number;
  seed: number;
  faults: Mix;
  /** Concurrent uploads. */
  clients: number;
  /** Milliseconds without progress after which a wait ends. */
  patienceMs: number;
  /** Milliseconds after which the run is given up as not drained. @default none */
  limitMs?: number;
  /** The sweeper's attempts at an event. @default the stack's default */
  maxAttempts?: number;
}

/**
 * How a run ends:
 * - `held`: every invariant holds;
 * - `broken`: one does not;
 * - `givenUp`: all hold, but events have failed that nothing was wrong with;
 * - `notDrained`: events were still on their way when the wait ended, so that nothing was compared.
 */
export type Outcome = "held" | "broken" | "givenUp" | "notDrained";

/** The result of a chaos run. */
export interface ChaosResult {
  options: ChaosOptions;
  outcome: Outcome;
  world: World;
  broken: Violation[];
  /** Failed events that nothing was wrong with, each with its error. */
  givenUp: string[];
  /** What was left to do at the end. */
  work: Work;
  /** Events that settled per second, over the last minute. */
  lastRate: number;
  observer: Observer;
  faults: FaultReport;
  /** Whether all events finished under faults; otherwise the faults were stopped before. */
  quietUnderFaults: boolean;
  /** From the first upload until the last change. */
  milliseconds: number;
  /** The most that this process held. */
  peakBytes: number;
}

/** Shows a run's progress until the returned function is called. */
export type ShowProgress = (read: () => Progress, rate: Rate) => () => void;

const EMAIL = "people@example.com";
const ALARM_EMAIL = "operations@example.com";

/** A minute becomes 0.3 s. */
const DELAY_SCALE = 0.005;

/** At the scale above: the sweeper runs every 1.5 s, and the stack's 15 minutes are 4.5 s. */
const CONFIG = {
  email: EMAIL,
  alarmEmail: ALARM_EMAIL,
  digestSeconds: "1",
  sweepMinutes: "5",
  stuckSeconds: "5",
  ...UNTHROTTLED,
};

/** Shortest wait without progress once the faults have stopped. */
const LAST_WAIT_MS = 30_000;

const RATE_SAMPLE_MS = 1000;

/** Comparisons are repeated when something changes meanwhile. */
const MAX_COMPARISONS = 10;

/** A folder for a run's files until the process ends. */
function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "s3-uploader-chaos-"));
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** The bodies of the dead-letter queue's messages. */
function deadLettersOf(run: Run): unknown[] {
  return run.deadLetters().map(({ body }) => JSON.parse(body) as unknown);
}

function workOf(run: Run, observer: Observer, { open }: Uploads): Work {
  const { events, records } = run.waiting();
  const unfinished = Object.entries(observer.statuses).filter(
    ([status]) => !isFinished(status as "created"),
  );
  const names = Object.entries(records).map(([name, number]) => [logicalName(name), number]);
  return {
    unfinished: Object.fromEntries(unfinished),
    withoutEvent: observer.withoutEvent,
    records: Object.fromEntries(names) as Work["records"],
    objectEvents: events,
    invocations: observer.working,
    clients: open.size,
    deadLetters: deadLettersOf(run).filter(isS3Event).length,
  };
}

/** Reads everything while nothing changes, or says that it does. */
async function readAtRest(
  observer: Observer,
  read: () => Promise<Omit<World, "outcomes">>,
  wait: () => Promise<Rest>,
): Promise<{ rest: Rest; world: Omit<World, "outcomes"> }> {
  for (let comparison = 1; ; comparison += 1) {
    const { lastChange } = observer;
    const world = await read();
    if (observer.lastChange === lastChange) {
      return { rest: "done", world };
    }
    const rest = await wait();
    if (rest === "working" || comparison === MAX_COMPARISONS) {
      return { rest: "working", world };
    }
  }
}

function outcomeOf(rest: Rest, broken: Violation[], givenUp: string[]): Outcome {
  if (rest === "working") {
    return "notDrained";
  }
  if (broken.length > 0) {
    return "broken";
  }
  return givenUp.length > 0 ? "givenUp" : "held";
}

/** What is known of a run once its program has stopped. */
interface Observed extends Pick<
  ChaosResult,
  "world" | "work" | "lastRate" | "faults" | "quietUnderFaults" | "milliseconds"
> {
  rest: Rest;
}

/** Runs the program with faults, uploads files, waits until all events are finished, and reads everything. */
async function observedRun(
  options: ChaosOptions,
  observer: Observer,
  folder: string,
  showProgress?: ShowProgress,
): Promise<Observed> {
  const { seed, faults, patienceMs, maxAttempts, limitMs = Infinity } = options;
  const run = await startRun({
    port: 0,
    // Rows in memory would take 3 kB for each upload.
    dataDir: path.join(folder, "data"),
    config: { ...CONFIG, ...(maxAttempts !== undefined && { maxAttempts: String(maxAttempts) }) },
    delayScale: DELAY_SCALE,
    faults: { seed, rules: MIXES[faults] },
    ...observer.hooks,
  });
  run.onObjectCreated(observer.takeObject);
  // An object that is put twice is two events, so the SDK may not retry.
  const clients = clientsOf(run, { s3Attempts: 1 });
  const rate = new Rate();
  const sampling = setInterval(() => {
    rate.add(observer.finished, performance.now());
  }, RATE_SAMPLE_MS);
  const uploads = new Uploads(path.join(folder, "outcomes.jsonl"));
  let phase = "uploading";
  const endProgress = showProgress?.(
    () => ({
      phase,
      uploads: options.uploads,
      sent: uploads.sent,
      settled: observer.finished,
      left: phase === "uploading" ? undefined : workText(workOf(run, observer, uploads)),
    }),
    rate,
  );
  try {
    return await observed();
  } finally {
    endProgress?.();
    clearInterval(sampling);
    clients.destroy();
    await run.stop();
  }

  async function observed(): Promise<Observed> {
    const startedAt = performance.now();
    const until = startedAt + limitMs;
    const work = () => workOf(run, observer, uploads);
    const wait = (patience: number) => untilRest(observer, work, { patienceMs: patience, until });
    await uploads.send(clientOf(run, clients, observer, options), options);
    phase = "waiting";
    let rest = await wait(patienceMs);
    const quietUnderFaults = rest === "done";
    // Reading needs no faults, either.
    run.faults?.stop();
    const lastWait = () => wait(Math.max(patienceMs, LAST_WAIT_MS));
    if (!quietUnderFaults) {
      phase = "waiting without faults";
      rest = await lastWait();
    }
    const milliseconds = observer.lastProgress - startedAt;
    const left = work();
    uploads.end();
    phase = "comparing";
    const outputs = run.outputs as unknown as Outputs;
    const read = async () => ({
      ...(await readStored(clients, outputs, folder)),
      moments: await observer.moments(ALARM_EMAIL),
      deadLetters: deadLettersOf(run),
    });
    const atRest =
      rest === "working"
        ? { rest, world: await read() }
        : await readAtRest(observer, read, lastWait);
    return {
      rest: atRest.rest,
      world: { ...atRest.world, outcomes: uploads.outcomes },
      work: left,
      lastRate: rate.perSecond,
      faults: run.faults?.report() ?? { injected: {}, crashes: [] },
      quietUnderFaults,
      milliseconds,
    };
  }
}

/**
 * Runs the program with faults, uploads files, waits until all events are finished, and checks every
 * invariant.
 *
 * @throws what startRun throws
 */
export async function chaosRun(
  options: ChaosOptions,
  showProgress?: ShowProgress,
): Promise<ChaosResult> {
  const folder = temporaryFolder();
  const observer = new Observer(folder);
  // The checks keep all keys and ids: by then, what the program has kept of them is gone.
  const { rest, ...observed } = await observedRun(options, observer, folder, showProgress);
  const broken = rest === "working" ? [] : violationsOf(observed.world);
  const givenUp = givenUpEvents(observed.world);
  return {
    ...observed,
    options,
    outcome: outcomeOf(rest, broken, givenUp),
    broken,
    givenUp,
    observer,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

function clientOf(run: Run, { s3 }: Clients, observer: Observer, options: ChaosOptions): Client {
  const { uploadUrl, uploadApiKey, managerUrl, managerApiKey, bucketName } =
    run.outputs as unknown as Outputs;
  const { seed, limitMs } = options;
  return {
    target: { uploadUrl, uploadApiKey, managerUrl, managerApiKey, bucketName, s3 },
    seed,
    acts: true,
    signal: limitMs === undefined ? undefined : AbortSignal.timeout(limitMs),
    finishedEvent: (eventId) => observer.finishedEvent(eventId),
  };
}
