import { setTimeout as sleep } from "node:timers/promises";
import { count, type Counts, type Observer } from "./observe/observer";

/** What a run still has to do. */
export interface Work {
  /** Unfinished events by status. */
  unfinished: Counts;
  /** Writes of objects that have no event yet. */
  withoutEvent: number;
  /** Stream records that a Lambda has not passed, by the Lambda. */
  records: Counts;
  /** Events of asynchronous invocations: of objects that were written. */
  objectEvents: number;
  /** Invocations in progress, by the Lambda. */
  invocations: Counts;
  /** Clients that wait to delete their events. */
  clients: number;
  /** S3 events in the dead-letter queue. */
  deadLetters: number;
}

/**
 * How a wait ends: everything is done; nothing is in progress, but not everything is done; or it is in
 * progress still, after too long.
 */
export type Rest = "done" | "stopped" | "working";

/** Longer than any pause before a retry, at the scale of a run. */
const QUIET_MS = 2_000;

const POLL_MS = 200;

function isEmpty(counts: Counts): boolean {
  return Object.values(counts).every((number) => number === 0);
}

/** Whether anything happens, or will happen without the sweeper. */
function isWorking({ records, objectEvents, invocations }: Work): boolean {
  return objectEvents > 0 || !isEmpty(records) || !isEmpty(invocations);
}

function isDone(work: Work): boolean {
  const { unfinished, withoutEvent, clients, deadLetters } = work;
  const isLeft = withoutEvent > 0 || clients > 0 || deadLetters > 0 || !isEmpty(unfinished);
  return !isLeft && !isWorking(work);
}

/**
 * Waits until a run is at rest: as long as objects are written or statuses change, and then for
 * `patienceMs`.
 *
 * @param workOf tells what is left to do
 * @param until end of the wait in any case; milliseconds, monotonic
 */
export async function untilRest(
  observer: Pick<Observer, "lastChange" | "lastProgress">,
  workOf: () => Work,
  { patienceMs, until }: { patienceMs: number; until: number },
): Promise<Rest> {
  const startedAt = performance.now();
  for (;;) {
    const now = performance.now();
    const isQuiet = now - observer.lastChange > QUIET_MS;
    if (isQuiet && isDone(workOf())) {
      return "done";
    }
    if (now > until || now - Math.max(startedAt, observer.lastProgress) > patienceMs) {
      return isWorking(workOf()) || !isQuiet ? "working" : "stopped";
    }
    await sleep(POLL_MS);
  }
}

/** What the unfinished events wait for, in words. */
export function workText(work: Work): string {
  const { unfinished, withoutEvent, records, objectEvents, invocations, clients } = work;
  const parts: Counts = {};
  for (const [status, events] of Object.entries(unfinished)) {
    count(parts, `events ${status}`, events);
  }
  count(parts, "objects without an event", withoutEvent);
  count(parts, "S3 events to deliver", objectEvents);
  for (const [name, number] of Object.entries(records)) {
    count(parts, `stream records that ${name} has not passed`, number);
  }
  for (const [name, number] of Object.entries(invocations)) {
    count(parts, `invocations of ${name} in progress`, number);
  }
  count(parts, "S3 events in the dead-letter queue", work.deadLetters);
  count(parts, "clients that wait for their event", clients);
  const left = Object.entries(parts).filter(([, number]) => number > 0);
  return left.map(([name, number]) => `${number} ${name}`).join(", ");
}
