import type { APIGatewayProxyResult, Context } from "aws-lambda";
import type { FileEvent } from "../../events/event";
import { isRetryable } from "../../events/failures";
import { retryStatusOf } from "../../events/transitions";
import { forEachConcurrently } from "../../runtime/concurrency";
import { httpError, jsonResponse } from "../../runtime/http";
import { logError } from "../../runtime/log";
import { invalid, parametersOf } from "../../runtime/parameters";
import { eventPage, type EventRow, type EventsQuery } from "../../store/eventPages";
import type { CountedEventStore } from "../../store/eventStore";
import { retryFailed } from "../../store/transitions";
import { cursorAt, positionOf, scopeOf } from "./listEvents";
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
  { event: request, eventId }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(request, []);
  const event = await requireEvent(store, eventId);
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

async function retryRow(
  store: CountedEventStore,
  { position, event, error }: EventRow,
  dryRun: boolean,
): Promise<Outcome> {
  if (event === undefined) {
    logError("Row not retried: it is not an event.", error, { event_id: position.event_id });
    return "not_retryable";
  }
  const from = retryStatusOf(event);
  if (from === undefined) {
    return "not_retryable";
  }
  return dryRun || (await retryFailed(store, event, from)) ? "moved" : "already_moved";
}

async function retryRows(
  store: CountedEventStore,
  rows: EventRow[],
  dryRun: boolean,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const failures = await forEachConcurrently(rows, CONCURRENCY, async (row) => {
    outcomes.push(await retryRow(store, row, dryRun));
  });
  for (const { item, error } of failures) {
    logError("Event not retried.", error, { event_id: item.position.event_id });
    outcomes.push("write_failed");
  }
  return outcomes;
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

/** `POST /events/retry`: moves all failed events of a time range back to the status they failed from. */
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
  let next = positionOf(manager, scope, parameters.cursor);
  const outcomes: Outcome[] = [];
  do {
    const page = await eventPage(manager.store, query, PAGE_LIMIT, next);
    outcomes.push(...(await retryRows(manager.store, page.rows, dryRun)));
    next = page.next;
  } while (next !== undefined && hasTime(context));
  return jsonResponse(200, {
    dry_run: dryRun,
    ...tally(outcomes),
    next_cursor: cursorAt(manager, scope, next),
  });
}
