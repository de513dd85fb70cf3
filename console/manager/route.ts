import { EVENT_STATUSES, type EventStatus } from "../../events/event";

/** Which events a list has. All but `name` are parameters of `GET /events`. */
export interface Filter {
  status?: EventStatus;
  /** ISO 8601. */
  from?: string;
  to?: string;
  link_id?: string;
  /** Of the loaded events, those whose name or id contains it. */
  name?: string;
}

export type Route =
  | { page: "events"; filter: Filter }
  | { page: "event"; eventId: string }
  | { page: "links" }
  | { page: "link"; linkId: string }
  | { page: "upload" };

const FILTER_NAMES = ["status", "from", "to", "link_id", "name"] as const;

/** A path segment; undefined: it is absent, or no text that was encoded for a URL. */
function decoded(segment: string | undefined): string | undefined {
  try {
    return segment ? decodeURIComponent(segment) : undefined;
  } catch {
    return undefined;
  }
}

function filterOf(query: string): Filter {
  const filter: Filter = {};
  const parameters = new URLSearchParams(query);
  for (const name of FILTER_NAMES) {
    const value = parameters.get(name) ?? "";
    if (name === "status") {
      filter.status = EVENT_STATUSES.find((status) => status === value);
    } else if (value !== "") {
      filter[name] = value;
    }
  }
  return filter;
}

/** @param hash `location.hash`; any text that is no route is the list of all events */
export function routeOf(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const [page, segment] = path.split("/");
  const id = decoded(segment);
  if (page === "events" && id !== undefined) {
    return { page: "event", eventId: id };
  }
  if (page === "links") {
    return id === undefined ? { page: "links" } : { page: "link", linkId: id };
  }
  return page === "upload" ? { page: "upload" } : { page: "events", filter: filterOf(query) };
}

/** The `href` of a list of events. */
export function eventsHref(filter: Filter = {}): string {
  const parameters = new URLSearchParams();
  for (const name of FILTER_NAMES) {
    const value = filter[name] ?? "";
    if (value !== "") {
      parameters.set(name, value);
    }
  }
  const query = parameters.toString();
  return `#/events${query === "" ? "" : `?${query}`}`;
}

export function eventHref(eventId: string): string {
  return `#/events/${encodeURIComponent(eventId)}`;
}

export function linkHref(linkId: string): string {
  return `#/links/${encodeURIComponent(linkId)}`;
}
