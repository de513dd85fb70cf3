import { ApiError } from "../../shared/apiError";
import { browserFetch } from "../../shared/companionFetch";
import { pacedFetch } from "../../shared/pacedFetch";
import type {
  Description,
  EventDetails,
  EventPage,
  HourCounts,
  LinkPage,
  NewLink,
  RetryManyAnswer,
  Stats,
  UploadLink,
} from "./answers";

/** Query parameters; undefined ones are left out. */
export type Query = Record<string, string | number | boolean | undefined>;

/** The event manager's API: one function a route. Each may throw an `ApiError`. */
export interface Api {
  /** The URL before each route's path, without a slash at its end. */
  baseUrl: string;
  /** The headers that each request needs. */
  headers: Record<string, string>;
  fetch: (url: string, init?: RequestInit) => Promise<Response>;
  events: (query: Query, signal?: AbortSignal) => Promise<EventPage>;
  event: (eventId: string, signal?: AbortSignal) => Promise<EventDetails>;
  retry: (eventId: string) => Promise<unknown>;
  retryFailed: (query: Query) => Promise<RetryManyAnswer>;
  deleteEvent: (eventId: string) => Promise<void>;
  stats: (signal?: AbortSignal) => Promise<Stats>;
  hours: (signal?: AbortSignal) => Promise<HourCounts>;
  links: (query: Query, signal?: AbortSignal) => Promise<LinkPage>;
  link: (linkId: string, signal?: AbortSignal) => Promise<UploadLink>;
  createLink: (link: NewLink) => Promise<UploadLink>;
  revokeLink: (linkId: string) => Promise<UploadLink>;
  description: (signal?: AbortSignal) => Promise<Description>;
}

function queryText(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === "" ? "" : `?${text}`;
}

/**
 * @param baseUrl without a slash at its end
 * @param onRefusedKey called when the API does not know the key (any more)
 */
export function managerApi(
  baseUrl: string,
  key: string,
  onRefusedKey: (error: ApiError) => void,
): Api {
  const headers = { "x-api-key": key };
  const paced = pacedFetch(browserFetch);

  async function request(url: string, init: RequestInit = {}): Promise<Response> {
    try {
      return await paced(url, { ...init, headers: { ...headers, ...(init.headers as object) } });
    } catch (error) {
      if (error instanceof ApiError && error.status === 403) {
        onRefusedKey(error);
      }
      throw error;
    }
  }

  async function json<T>(path: string, init?: RequestInit): Promise<T> {
    return (await (await request(baseUrl + path, init)).json()) as T;
  }

  const get = <T>(path: string, signal?: AbortSignal) => json<T>(path, { signal });
  const eventPath = (eventId: string) => `/events/${encodeURIComponent(eventId)}`;
  const linkPath = (linkId: string) => `/links/${encodeURIComponent(linkId)}`;

  return {
    baseUrl,
    headers,
    fetch: request,
    events: (query, signal) => get(`/events${queryText(query)}`, signal),
    event: (eventId, signal) => get(eventPath(eventId), signal),
    retry: (eventId) => json(`${eventPath(eventId)}/retry`, { method: "POST" }),
    retryFailed: (query) =>
      json(`/events/retry${queryText({ ...query, status: "failed" })}`, { method: "POST" }),
    deleteEvent: async (eventId) => {
      await request(baseUrl + eventPath(eventId), { method: "DELETE" });
    },
    stats: (signal) => get("/stats", signal),
    hours: (signal) => get("/stats/hours", signal),
    links: (query, signal) => get(`/links${queryText(query)}`, signal),
    link: (linkId, signal) => get(linkPath(linkId), signal),
    createLink: (link) =>
      json("/links", {
        method: "POST",
        body: JSON.stringify(link),
        headers: { "Content-Type": "application/json" },
      }),
    revokeLink: (linkId) => json(linkPath(linkId), { method: "DELETE" }),
    description: (signal) => get("/openapi.json", signal),
  };
}
