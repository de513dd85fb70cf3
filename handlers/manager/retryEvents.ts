import type { APIGatewayProxyResult, Context } from "aws-lambda";
import type { FileEvent } from "../../events/event";
import { fromItem, type Item } from "../../events/item";
import { isTransition } from "../../events/transitions";
import { httpError, jsonResponse } from "../../runtime/http";
import { logError } from "../../runtime/log";
import { forEachConcurrently } from "../../runtime/streamBatch";
import { eventPage, type EventsQuery } from "../../store/eventPages";
import { bringBack, type CountedEventStore } from "../../store/eventStore";
import { findEvent } from "./findEvent";
import { cursorAt, positionOf, scopeOf } from "./listEvents";
import {
  booleanParameter,
  invalid,
  parametersOf,
  statusParameter,
  timeParameter,
} from "./parameters";
import type { Manager, ManagerRequest } from "./request";

/** Events of one page; a request goes through as many pages as it has time for. */
const PAGE_LIMIT = 250;

/** Events that are put back at the same time. */
const CONCURRENCY = 16;

/** Enough for the slowest page, with the SDK's retries: a request ends in time for its answer. */
const RESERVED_MS = 15_000;

/** How the retry of one event went; all but `moved` are reasons why it did not move. */
type Outcome = "moved" | "already_moved" | "not_retryable" | "write_failed";

/** Where the event goes back to; undefined for a row that does not say it. */
function wayBack({ failed_from }: FileEvent) {
  return failed_from !== undefined && isTransition(failed_from, "failed") ? failed_from : undefined;
}

/** `POST /events/{event_id}/retry`: puts one failed event back to where it failed. */
export async function retryEvent(
  { store }: Manager,
  { event: request, eventId }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(request, []);
  const event = await findEvent(store, eventId);
  if (event.event_status !== "failed") {
    throw httpError(
      409,
      "not_failed",
      `The event is ${event.event_status}: only a failed one can be retried.`,
    );
  }
  const from = wayBack(event);
  if (from === undefined) {
    throw httpError(409, "not_retryable", "The event does not say where it failed.");
  }
  if (!(await bringBack(store, event, from))) {
    throw httpError(409, "not_failed", "Somebody else has retried or deleted the event just now.");
  }
  return jsonResponse(200, { event_id: event.event_id, event_status: from });
}

async function retryRow(store: CountedEventStore, row: Item, dryRun: boolean): Promise<Outcome> {
  let event: FileEvent;
  try {
    event = fromItem(row);
  } catch (error) {
    logError("A row that is not an event cannot be retried.", error, {
      event_id: row.event_id?.S,
    });
    return "not_retryable";
  }
  const from = wayBack(event);
  if (from === undefined) {
    return "not_retryable";
  }
  return dryRun || (await bringBack(store, event, from)) ? "moved" : "already_moved";
}

async function retryRows(
  store: CountedEventStore,
  rows: Item[],
  dryRun: boolean,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const failures = await forEachConcurrently(rows, CONCURRENCY, async (row) => {
    outcomes.push(await retryRow(store, row, dryRun));
  });
  for (const { item, error } of failures) {
    logError("An event could not be put back.", error, { event_id: item.event_id?.S });
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

/** `POST /events/retry`: puts all failed events of a time back to where they failed. */
export async function retryEvents(
  manager: Manager,
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
    outcomes.push(...(await retryRows(manager.store, page.items, dryRun)));
    next = page.next;
  } while (next !== undefined && hasTime(context));
  return jsonResponse(200, {
    dry_run: dryRun,
    ...tally(outcomes),
    next_cursor: cursorAt(manager, scope, next),
  });
}
