import type { APIGatewayProxyResult } from "aws-lambda";
import type { FileEvent } from "../../events/event";
import { jsonResponse } from "../../runtime/http";
import { logError } from "../../runtime/log";
import { invalid, parametersOf } from "../../runtime/parameters";
import { type EventPage, eventPage, type EventsQuery, type Position } from "../../store/eventPages";
import { findLink } from "../../store/links/read";
import { cursorAt, positionOf } from "./cursor";
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

/**
 * Refuses the id of a link that there is not, and never was: a link's row is removed 90 days after the link
 * has expired, its events stay.
 *
 * @throws an `HttpError` 400
 */
async function refuseUnknownLink({ store, links }: ManagerContext, linkId: string): Promise<void> {
  if (await findLink(links.store, linkId)) {
    return;
  }
  const { rows } = await eventPage(store, { linkId, order: "asc" }, 1);
  if (rows.length === 0) {
    throw invalid("link_id", `There is no link ${linkId}, and no event of one.`);
  }
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
  const after = positionOf(manager, scope, parameters.cursor) as Position | undefined;
  const page = await eventPage(manager.store, query, limit, after);
  if (query.linkId !== undefined && page.rows.length === 0 && after === undefined) {
    await refuseUnknownLink(manager, query.linkId);
  }
  const { events, next } = fitting(page);
  return jsonResponse(200, { events, next_cursor: cursorAt(manager, scope, next) });
}
