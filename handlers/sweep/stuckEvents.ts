import { forEachConcurrently } from "../../runtime/concurrency";
import { logError, logInfo } from "../../runtime/log";
import { type Cursors, moveCursor, readCursors } from "../../store/redelivery/cursors";
import { decide, type Position } from "../../store/redelivery/decision";
import { openPace, type Pace, type PaceOptions } from "../../store/redelivery/pace";
import {
  failStuckEvent,
  partitionsIn,
  readStuckEvents,
  redeliver,
  type StatusPartition,
  type StuckEvent,
  type StuckTimes,
} from "../../store/stuckEvents";
import type { PageKey } from "../../store/timeIndex";
import type { Consumer } from "./consumers";
import { reportSilence, type SendAlarm } from "./silentConsumer";
import { isoBefore, type SweepRun } from "./sweepRun";

/** Events of a page that are written at the same time. */
const CONCURRENCY = 12;

/** Partitions of a consumer that are swept at the same time. */
const PARTITIONS_AT_ONCE = 2;

/** Events that are redelivered before the time is looked at again. */
const CHUNK = 500;

/** Seconds during which a failure is redelivered whose alarm was not published. */
const ALARM_WINDOW_SECONDS = 24 * 60 * 60;

/** Bytes that a run reads of failed events. There may be many; the next run continues. */
const MAX_FAILED_BYTES = 4 * 1024 * 1024;

/** What the sweeping of stuck events needs. */
export interface StuckSettings {
  /** Redeliveries before an event is given up. */
  maxAttempts: number;
  consumers: readonly Consumer[];
  /** Of each consumer. */
  readPositions: () => Promise<Position[]>;
  /** Tells operators of a silent consumer. */
  sendAlarm: SendAlarm;
  /** See `PaceOptions`. */
  pause?: PaceOptions["pause"];
}

/** The state of one consumer's part of a run. */
interface ConsumerSweep {
  run: SweepRun;
  maxAttempts: number;
  pace: Pace;
  cursors: Cursors;
  /** Errors of single events and partitions. */
  errors: unknown[];
  /** Bytes that may still be read of failed events. */
  failedBytes: number;
}

/** How far a range was swept. */
interface Progress {
  isDone: boolean;
  /** Where to continue; undefined: at the range's beginning. */
  at: PageKey | undefined;
}

function giveUp(
  { store, stuckSeconds }: SweepRun,
  event: StuckEvent,
  maxAttempts: number,
): Promise<boolean> {
  const message =
    `The event stayed in the status "${event.status}" for over ${stuckSeconds} seconds, ` +
    `and ${maxAttempts} redeliveries did not help.`;
  return failStuckEvent(store, event, { code: "TooManyAttempts", message, step: "sweep" });
}

/** Calls `work` for each event; errors are logged and kept. */
async function forEachEvent(
  { errors }: ConsumerSweep,
  events: StuckEvent[],
  work: (event: StuckEvent) => Promise<void>,
): Promise<void> {
  const failures = await forEachConcurrently(events, CONCURRENCY, work);
  for (const { item, error } of failures) {
    logError("Stuck event not redelivered.", error, { event_id: item.key.event_id });
    errors.push(error);
  }
}

/** Redelivers or gives up the events of a page that are due. @returns the first one left for later */
async function sweepEvents(
  sweep: ConsumerSweep,
  events: StuckEvent[],
): Promise<StuckEvent | undefined> {
  const { run, maxAttempts, pace } = sweep;
  const { store, counts, stuckSeconds, hasTime } = run;
  const now = Date.now();
  const decided = events.map((event) => ({
    event,
    decision: decide(event, pace.position, { stuckSeconds, maxAttempts }, now),
  }));
  const having = (decision: string) =>
    decided.filter((each) => each.decision === decision).map(({ event }) => event);

  await forEachEvent(sweep, having("giveUp"), async (event) => {
    if (await giveUp(run, event, maxAttempts)) {
      counts.GivenUp += 1;
      logInfo("Event given up after too many redeliveries.", {
        event_id: event.key.event_id,
        event_status: event.status,
      });
    }
  });

  const counted = new Set(having("count"));
  let due = decided
    .filter(({ decision }) => decision === "count" || decision === "probe")
    .map(({ event }) => event);
  while (due.length > 0) {
    const { count, at } = hasTime()
      ? await pace.take(due.slice(0, CHUNK).map(({ key, status }) => ({ key, status })))
      : { count: 0, at: "" };
    if (count === 0) {
      return due[0];
    }
    await forEachEvent(sweep, due.slice(0, count), async (event) => {
      if (await redeliver(store, event, { at, counts: counted.has(event) })) {
        counts.DrivenOn += 1;
        logInfo("Stuck event redelivered.", {
          event_id: event.key.event_id,
          event_status: event.status,
        });
      }
    });
    due = due.slice(count);
  }
  return undefined;
}

/** Sweeps a partition from a place on, as far as time, budget and reads allow. */
async function sweepRange(
  sweep: ConsumerSweep,
  partition: StatusPartition,
  times: StuckTimes,
  from: PageKey | undefined,
): Promise<Progress> {
  const { run } = sweep;
  const isFailed = partition.status === "failed";
  let at = from;
  for (;;) {
    if (!run.hasTime() || (isFailed && sweep.failedBytes <= 0)) {
      return { isDone: false, at };
    }
    const page = await readStuckEvents(run.store, partition, times, at);
    sweep.failedBytes -= isFailed ? page.bytes : 0;
    const left = await sweepEvents(sweep, page.events);
    if (left !== undefined) {
      const before = page.events[page.events.indexOf(left) - 1];
      return { isDone: false, at: before?.place ?? at };
    }
    if (page.next === undefined) {
      return { isDone: true, at: undefined };
    }
    at = page.next;
  }
}

function earlier(a: string, b: string): string {
  return a < b ? a : b;
}

function timesOf({ run, pace }: ConsumerSweep, { status }: StatusPartition): StuckTimes {
  const { passed, isActive } = pace.position;
  const before = isoBefore(run.stuckSeconds);
  return {
    before,
    // What a Lambda at work has not come to is not even read.
    upTo: isActive ? earlier(before, passed) : before,
    ...(status === "failed" && { after: isoBefore(run.stuckSeconds + ALARM_WINDOW_SECONDS) }),
  };
}

/** Sweeps a partition: from where the last run ended to its end, then from its beginning to there. */
async function sweepPartition(sweep: ConsumerSweep, partition: StatusPartition): Promise<void> {
  const { store } = sweep.run;
  const times = timesOf(sweep, partition);
  const cursor = sweep.cursors.get(partition.partition);
  let progress = await sweepRange(sweep, partition, times, cursor);
  if (progress.isDone && cursor) {
    const upTo = earlier(times.upTo, cursor.event_timestamp?.S ?? "");
    progress = await sweepRange(sweep, partition, { ...times, upTo }, undefined);
  }
  if (!progress.isDone || cursor) {
    await moveCursor(store, partition.partition, progress.at);
  }
}

/** The list, from a random element on: what a run has no time for is not always the same. */
function rotated<T>(list: T[]): T[] {
  const start = Math.floor(Math.random() * list.length);
  return [...list.slice(start), ...list.slice(0, start)];
}

async function sweepConsumer(
  run: SweepRun,
  { maxAttempts, sendAlarm, pause }: StuckSettings,
  consumer: Consumer,
  { position, cursors }: { position: Position | undefined; cursors: Cursors },
): Promise<unknown[]> {
  const { store, stuckSeconds, hasTime, counts } = run;
  const { statuses } = consumer;
  const pace = await openPace(store, {
    name: statuses.join("|"),
    stuckSeconds,
    hasTime,
    pause,
    position: position ?? { passed: "", reached: "", isActive: false },
  });
  const errors: unknown[] = [];
  const sweep = { run, maxAttempts, pace, cursors, errors, failedBytes: MAX_FAILED_BYTES };

  const sweepAll = async (partitions: StatusPartition[], atOnce: number) => {
    const failures = await forEachConcurrently(rotated(partitions), atOnce, (partition) =>
      sweepPartition(sweep, partition),
    );
    for (const { item, error } of failures) {
      logError("Stuck events not listed.", error, { partition: item.partition });
      errors.push(error);
    }
  };

  try {
    // Without a position, a consumer that is only idle would look silent.
    if (position && (await reportSilence(consumer, pace, stuckSeconds, sendAlarm))) {
      counts.SilentConsumers += 1;
    }
  } catch (error) {
    logError("Operators not told of a silent Lambda.", error, {});
    errors.push(error);
  }
  const unfinished = statuses.filter((status) => status !== "failed");
  await sweepAll(partitionsIn(store, unfinished), PARTITIONS_AT_ONCE);
  const failed = statuses.filter((status) => status === "failed");
  await sweepAll(partitionsIn(store, failed), 1);
  return errors;
}

/**
 * Redelivers events to their Lambdas that have made no progress, although the Lambda has passed them:
 * unfinished events, and events that failed within the last day without an alarm. An unfinished event
 * becomes `failed` after the last attempt. See `store/redelivery/`: `decision.ts` for when, and
 * `budget.ts` for how many.
 *
 * @throws the first error, after all other events were redelivered
 */
export async function sweepStuckEvents(run: SweepRun, settings: StuckSettings): Promise<void> {
  const { consumers, readPositions } = settings;
  const errors: unknown[] = [];
  let positions: Position[] | undefined;
  try {
    positions = await readPositions();
  } catch (error) {
    logError("The positions of the stream's Lambdas are not known.", error, {});
    errors.push(error);
  }
  const cursors = await readCursors(run.store);
  const failures = await forEachConcurrently(
    [...consumers.entries()],
    consumers.length,
    async ([index, consumer]) => {
      const position = positions?.[index];
      errors.push(...(await sweepConsumer(run, settings, consumer, { position, cursors })));
    },
  );
  for (const { item, error } of failures) {
    logError("Stuck events not swept.", error, { function_name: item[1].functionName });
    errors.push(error);
  }
  if (errors.length > 0) {
    throw errors[0];
  }
}
