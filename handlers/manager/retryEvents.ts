import type { APIGatewayProxyResult, Context } from "aws-lambda";
import type { EventStatus, FileEvent } from "../../events/event";
import { isRetryable } from "../../events/failures";
import { retryStatusOf } from "../../events/transitions";
import { forEachConcurrently } from "../../runtime/concurrency";
import { httpError, jsonResponse } from "../../runtime/http";
import { logError } from "../../runtime/log";
import { invalid, parametersOf } from "../../runtime/parameters";
import { eventPage, type EventRow, type EventsQuery, type Position } from "../../store/eventPages";
import type { CountedEventStore } from "../../store/eventStore";
import { openPace, type Pace } from "../../store/redelivery/pace";
import { BEGINNING } from "../../store/timeRange";
import { retryFailed } from "../../store/transitions";
import { cursorAt, positionOf } from "./cursor";
import { scopeOf } from "./listEvents";
import { booleanParameter, statusParameter, timeParameter } from "./parameters";
import type { ManagerContext, ManagerRequest } from "./request";
import { requireEvent } from "./requireEvent";

/** Events of a page; a request handles as many pages as it has time for. */
const PAGE_LIMIT = 250;

/** Events that are retried at the same time. */
const CONCURRENCY = 16;

/** Milliseconds; enough for the slowest page, with the SDK's retries. */
const RESERVED_MS = 15_000;

/** The outcome of one event's retry. */
type Outcome = "moved" | "already_moved" | "not_retryable" | "write_failed";

/** `POST /events/{event_id}/retry`: moves a failed event back to the status it failed from. */
export async function retryEvent(
  { store }: ManagerContext,
  { event: request, path }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(request, []);
  const event = await requireEvent(store, path.event_id);
  if (event.event_status !== "failed") {
    throw httpError(
      409,
      "not_failed",
      `The event is ${event.event_status}: only a failed one can be retried.`,
    );
  }
  const from = retryStatusOf(event);
  if (from === undefined) {
    throw httpError(409, "not_retryable", notRetryable(event));
  }
  if (!(await retryFailed(store, event, from))) {
    throw httpError(409, "not_failed", "Somebody else has retried or deleted the event just now.");
  }
  return jsonResponse(200, { event_id: event.event_id, event_status: from });
}

function notRetryable({ failed_from, last_error }: FileEvent): string {
  return failed_from !== undefined && !isRetryable(last_error?.code)
    ? "The object was overwritten: a retry would not find this event's file. The later write has an event of its own."
    : "The event does not say where it failed.";
}

/** An event of a page, and the status that a retry sets it to. */
interface Retryable {
  event: FileEvent;
  from: EventStatus;
}

function retryableOf({ position, event, error }: EventRow): Retryable | undefined {
  if (event === undefined) {
    logError("Row not retried: it is not an event.", error, { event_id: position.event_id });
    return undefined;
  }
  const from = retryStatusOf(event);
  return from && { event, from };
}

/** @param at ISO 8601; of the retry */
async function retryAll(
  store: CountedEventStore,
  events: Retryable[],
  at: string,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const failures = await forEachConcurrently(events, CONCURRENCY, async ({ event, from }) => {
    outcomes.push((await retryFailed(store, event, from, at)) ? "moved" : "already_moved");
  });
  for (const { item, error } of failures) {
    logError("Event not retried.", error, { event_id: item.event.event_id });
    outcomes.push("write_failed");
  }
  return outcomes;
}

/** What has become of a page's rows. */
interface PageOutcome {
  outcomes: Outcome[];
  /** Rows at the page's end that the budget has no room for now. */
  heldBack: number;
}

/** Retries the rows of a page, in order, as far as the budget has room. */
async function retryRows(
  store: CountedEventStore,
  rows: EventRow[],
  pace: Pace | undefined,
): Promise<PageOutcome> {
  const outcomes: Outcome[] = [];
  let rest = rows.map((row) => retryableOf(row));
  const notRetryable = (some: typeof rest) =>
    some.filter((each) => each === undefined).map((): Outcome => "not_retryable");
  while (rest.length > 0) {
    const events = rest.filter((each) => each !== undefined);
    if (pace === undefined || events.length === 0) {
      return {
        outcomes: [...outcomes, ...notRetryable(rest), ...events.map((): Outcome => "moved")],
        heldBack: 0,
      };
    }
    const { count, at } = await pace.take(
      events.map(({ event, from }) => ({ key: event, status: from })),
    );
    const firstLeft = events[count];
    const end = firstLeft ? rest.indexOf(firstLeft) : rest.length;
    outcomes.push(...notRetryable(rest.slice(0, end)));
    rest = rest.slice(end);
    if (count === 0) {
      break;
    }
    outcomes.push(...(await retryAll(store, events.slice(0, count), at)));
  }
  return { outcomes, heldBack: rest.length };
}

function tally(outcomes: Outcome[]) {
  const notMoved: Partial<Record<Outcome, number>> = {};
  for (const outcome of outcomes) {
    if (outcome !== "moved") {
      notMoved[outcome] = (notMoved[outcome] ?? 0) + 1;
    }
  }
  const moved = outcomes.filter((outcome) => outcome === "moved").length;
  return { matched: outcomes.length, moved, not_moved: notMoved };
}

function hasTime(context: Context): boolean {
  return context.getRemainingTimeInMillis() > RESERVED_MS;
}

/** The place before all events of a query. */
function startOf({ from = BEGINNING }: EventsQuery): Position {
  return { event_id: "", event_timestamp: from };
}

/**
 * `POST /events/retry`: moves all failed events of a time range back to the status they failed from, as
 * many at a time as the pipeline takes up.
 */
export async function retryEvents(
  manager: ManagerContext,
  { event, context }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  const parameters = parametersOf(event, ["status", "from", "to", "dry_run", "cursor"]);
  if (statusParameter(parameters) !== "failed") {
    throw invalid("status", 'Only failed events can be retried: say so with "status=failed".');
  }
  const query: EventsQuery = {
    status: "failed",
    from: timeParameter(parameters, "from"),
    to: timeParameter(parameters, "to"),
    order: "asc",
  };
  const dryRun = booleanParameter(parameters, "dry_run");
  const scope = scopeOf("retry", query);
  const { store } = manager;
  let next = positionOf(manager, scope, parameters.cursor) as Position | undefined;
  const pace = dryRun
    ? undefined
    : await openPace(store, {
        name: "retry",
        stuckSeconds: manager.stuckSeconds,
        hasTime: () => hasTime(context),
      });
  const outcomes: Outcome[] = [];
  let isHeldBack = false;
  do {
    const page = await eventPage(store, query, PAGE_LIMIT, next);
    const retried = await retryRows(store, page.rows, pace);
    outcomes.push(...retried.outcomes);
    isHeldBack = retried.heldBack > 0;
    next = isHeldBack
      ? (page.rows.at(-1 - retried.heldBack)?.position ?? next ?? startOf(query))
      : page.next;
  } while (next !== undefined && !isHeldBack && hasTime(context));
  return jsonResponse(200, {
    dry_run: dryRun,
    ...tally(outcomes),
    ...(isHeldBack && { held_back: true }),
    next_cursor: cursorAt(manager, scope, next),
  });
}
