import type { APIGatewayProxyResult } from "aws-lambda";
import type { FileEvent } from "../../events/event";
import { jsonResponse } from "../../runtime/http";
import { logError } from "../../runtime/log";
import { invalid, parametersOf } from "../../runtime/parameters";
import { type EventPage, eventPage, type EventsQuery, type Position } from "../../store/eventPages";
import { openCursor, sealCursor } from "./cursor";
import {
  limitParameter,
  linkIdParameter,
  orderParameter,
  statusParameter,
  timeParameter,
} from "./parameters";
import type { ManagerContext, ManagerRequest } from "./request";

const DEFAULT_LIMIT = 100;

const MAX_LIMIT = 500;

/** Lambda's limit is 6 MB for a whole answer. */
const MAX_ANSWER_BYTES = 5_500_000;

/** The scope of a query's cursors: other queries do not accept them. */
export function scopeOf(route: string, { status, linkId, from, to, order }: EventsQuery): string {
  const scope = [route, status ?? null, from ?? null, to ?? null, order];
  return JSON.stringify(linkId === undefined ? scope : [...scope, linkId]);
}

/**
 * The position in a cursor.
 *
 * @throws an `HttpError` 400 for text that is not a cursor of this query
 */
export function positionOf(
  { cursorSecret }: ManagerContext,
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

export function cursorAt(
  { cursorSecret }: ManagerContext,
  scope: string,
  next?: Position,
): string | null {
  return next ? sealCursor(cursorSecret, scope, next) : null;
}

/** The size of an event in an answer, whose body is JSON in JSON: a quote may take four bytes. */
function bytesOf(event: FileEvent): number {
  return Buffer.byteLength(JSON.stringify(JSON.stringify(event)));
}

/** The page's events that fit an answer, and the position of the last one. */
function fitting({ rows, next }: EventPage): { events: FileEvent[]; next?: Position } {
  const events: FileEvent[] = [];
  let bytes = 0;
  let last: Position | undefined;
  for (const { position, event, error } of rows) {
    if (event === undefined) {
      logError("Row omitted: it is not an event.", error, { event_id: position.event_id });
    } else {
      bytes += bytesOf(event);
      if (bytes > MAX_ANSWER_BYTES && last !== undefined) {
        return { events, next: last };
      }
      events.push(event);
    }
    last = position;
  }
  return { events, next };
}

/** `GET /events`: a page of events, of one status or link or of all, in order of time. */
export async function listEvents(
  manager: ManagerContext,
  { event }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  const parameters = parametersOf(event, [
    "status",
    "link_id",
    "from",
    "to",
    "order",
    "limit",
    "cursor",
  ]);
  const query: EventsQuery = {
    status: statusParameter(parameters),
    linkId: linkIdParameter(parameters),
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
