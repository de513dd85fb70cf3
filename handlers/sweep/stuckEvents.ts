import { forEachConcurrently } from "../../runtime/concurrency";
import { logError, logInfo } from "../../runtime/log";
import {
  countAttempt,
  failStuckEvent,
  readStuckEvents,
  type StatusPartition,
  type StuckEvent,
  type StuckPage,
  stuckPartitions,
} from "../../store/stuckEvents";
import { isoBefore, type SweepRun } from "./sweepRun";

/** Events of one run, for each status; divided by its partitions. The next run continues. */
const MAX_EVENTS_PER_STATUS = 250;

/** Events that are redelivered at the same time. */
const CONCURRENCY = 16;

/** Seconds during which a failure is redelivered whose alarm was not published. */
const ALARM_WINDOW_SECONDS = 24 * 60 * 60;

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

/** Redelivers a stuck event, or gives it up after the last attempt. */
async function sweepEvent(run: SweepRun, event: StuckEvent, maxAttempts: number): Promise<void> {
  const { store, counts } = run;
  const fields = { event_id: event.key.event_id, event_status: event.status };
  if (event.status !== "failed" && (event.attempts ?? 0) >= maxAttempts) {
    if (await giveUp(run, event, maxAttempts)) {
      counts.GivenUp += 1;
      logInfo("Event given up after too many redeliveries.", fields);
    }
  } else if (await countAttempt(store, event)) {
    counts.DrivenOn += 1;
    logInfo("Stuck event redelivered.", fields);
  }
}

/**
 * Redelivers events to their Lambdas that have made no progress for too long, oldest first:
 * unfinished events, and events that failed within the last day without an alarm. An unfinished
 * event becomes `failed` after the last attempt.
 *
 * @param maxAttempts redeliveries before an event is given up
 * @throws the first error, after all other events were redelivered
 */
export async function sweepStuckEvents(run: SweepRun, maxAttempts: number): Promise<void> {
  const { store, stuckSeconds, hasTime } = run;
  const maxEvents = Math.ceil(MAX_EVENTS_PER_STATUS / store.statusShards);
  const errors: unknown[] = [];

  const sweepPage = async (events: StuckEvent[]) => {
    const failures = await forEachConcurrently(events, CONCURRENCY, (event) =>
      sweepEvent(run, event, maxAttempts),
    );
    for (const { item, error } of failures) {
      logError("Stuck event not redelivered.", error, { event_id: item.key.event_id });
      errors.push(error);
    }
  };

  const sweepPartition = async (partition: StatusPartition) => {
    const isFailed = partition.status === "failed";
    const times = {
      before: isoBefore(stuckSeconds),
      after: isFailed ? isoBefore(stuckSeconds + ALARM_WINDOW_SECONDS) : undefined,
    };
    let swept = 0;
    let page: StuckPage | undefined;
    while (swept < maxEvents && hasTime() && (page === undefined || page.next)) {
      page = await readStuckEvents(store, partition, times, page?.next);
      const events = page.events.slice(0, maxEvents - swept);
      await sweepPage(events);
      swept += events.length;
    }
  };

  const failures = await forEachConcurrently(stuckPartitions(store), 1, sweepPartition);
  for (const { item, error } of failures) {
    logError("Stuck events not listed.", error, { partition: item.partition });
    errors.push(error);
  }
  if (errors.length > 0) {
    throw errors[0];
  }
}
