import type { APIGatewayProxyResult } from "aws-lambda";
import type { FileEvent } from "../../events/event";
import { fromItem, type Item } from "../../events/item";
import { jsonResponse } from "../../runtime/http";
import { logError } from "../../runtime/log";
import { type EventPage, eventPage, type EventsQuery, type Position } from "../../store/eventPages";
import { openCursor, sealCursor } from "./cursor";
import {
  invalid,
  limitParameter,
  orderParameter,
  parametersOf,
  statusParameter,
  timeParameter,
} from "./parameters";
import type { Manager, ManagerRequest } from "./request";

const DEFAULT_LIMIT = 100;

const MAX_LIMIT = 500;

/** Lambda takes 6 MB for a whole answer. */
const MAX_ANSWER_BYTES = 5_500_000;

/** What a cursor belongs to: of another query it says nothing. */
export function scopeOf(route: string, { status, from, to, order }: EventsQuery): string {
  return JSON.stringify([route, status ?? null, from ?? null, to ?? null, order]);
}

/**
 * The position that a cursor stands for.
 *
 * @throws an `HttpError` 400 for a text that is no cursor of this query
 */
export function positionOf(
  { cursorSecret }: Manager,
  scope: string,
  cursor: string | undefined,
): Position | undefined {
  if (cursor === undefined) {
    return undefined;
  }
  const position = openCursor(cursorSecret, scope, cursor);
  if (position === undefined) {
    throw invalid(
      "cursor",
      "This is no cursor of this query: send next_cursor as it came, with the same parameters.",
    );
  }
  return position as Position;
}

export function cursorAt({ cursorSecret }: Manager, scope: string, next?: Position): string | null {
  return next ? sealCursor(cursorSecret, scope, next) : null;
}

/** The event of a row; a row that is none is logged, and undefined. */
function eventOf(item: Item): FileEvent | undefined {
  try {
    return fromItem(item);
  } catch (error) {
    logError("A row that is not an event is left out.", error, { event_id: item.event_id?.S });
    return undefined;
  }
}

/** What an event takes in an answer, whose body is JSON within JSON: quotes in it count up to four times. */
function bytesOf(event: FileEvent): number {
  return Buffer.byteLength(JSON.stringify(JSON.stringify(event)));
}

/** As many of the page's events as an answer has room for, and where the next page begins. */
function fitting({ items, next }: EventPage): { events: FileEvent[]; next?: Position } {
  const events: FileEvent[] = [];
  let bytes = 0;
  let last: Position | undefined;
  for (const item of items) {
    const event = eventOf(item);
    bytes += event ? bytesOf(event) : 0;
    if (bytes > MAX_ANSWER_BYTES && last !== undefined) {
      return { events, next: last };
    }
    if (event) {
      events.push(event);
    }
    last = positionOfRow(item);
  }
  return { events, next };
}

function positionOfRow(item: Item): Position {
  return {
    event_timestamp: item.event_timestamp?.S ?? "",
    event_id: item.event_id?.S ?? "",
  };
}

/** `GET /events`: a page of the events of one status, or of all, in time order. */
export async function listEvents(
  manager: Manager,
  { event }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  const parameters = parametersOf(event, ["status", "from", "to", "order", "limit", "cursor"]);
  const query: EventsQuery = {
    status: statusParameter(parameters),
    from: timeParameter(parameters, "from"),
    to: timeParameter(parameters, "to"),
    order: orderParameter(parameters),
  };
  const limit = limitParameter(parameters, DEFAULT_LIMIT, MAX_LIMIT);
  const scope = scopeOf("events", query);
  const after = positionOf(manager, scope, parameters.cursor);
  const { events, next } = fitting(await eventPage(manager.store, query, limit, after));
  return jsonResponse(200, { events, next_cursor: cursorAt(manager, scope, next) });
}
