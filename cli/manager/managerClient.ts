import type { EventStatus } from "../../events/event";
import { jsonOf } from "../http/answer";
import type { Sleep } from "../http/retries";
import type {
  ArrivedUpload,
  EventDetails,
  EventPage,
  NewUpload,
  RetriedEvent,
  RetryPage,
  SignedUpload,
  Stats,
} from "./answers";
import type { Connection } from "./connection";
import { type LinkClient, linkClient } from "./linkClient";
import { type MultipartClient, multipartClient } from "./multipartClient";
import { managerRequests, queryString } from "./requests";

/** A period of events, as ISO 8601: `from` inclusive, `to` exclusive. */
export interface EventFilter {
  from?: string;
  to?: string;
}

export interface ListQuery extends EventFilter {
  status?: EventStatus;
  link_id?: string;
  order?: "asc" | "desc";
  /** At most MAX_PAGE. */
  limit: number;
  cursor?: string;
}

export interface RetryQuery extends EventFilter {
  dryRun: boolean;
  cursor?: string;
}

/** A client of the event manager's API. All methods throw Failure. */
export interface ManagerClient {
  /** The manager's URL, without a trailing slash. */
  url: string;
  list(query: ListQuery): Promise<EventPage>;
  show(eventId: string): Promise<EventDetails>;
  retry(eventId: string): Promise<RetriedEvent>;
  retryFailed(query: RetryQuery): Promise<RetryPage>;
  delete(eventId: string): Promise<void>;
  stats(): Promise<Stats>;
  /** Sends one request, without retries: the caller retries the whole upload. */
  newUpload(
    upload: NewUpload,
    idempotencyKey: string,
  ): Promise<{ signed: SignedUpload } | { arrived: ArrivedUpload }>;
  /** The parsed openapi.json, not validated. */
  description(): Promise<unknown>;
  multipart: MultipartClient;
  links: LinkClient;
}

/** Events or links of the API's largest page. */
export const MAX_PAGE = 500;

/** @param wait between the attempts of a request */
export function createManagerClient(connection: Connection, wait: Sleep): ManagerClient {
  const requests = managerRequests(connection, wait);
  const get = (path: string) => requests.get(path);
  const change = (method: string, path: string) => requests.change(method, path);
  const eventPath = (eventId: string) => `/events/${encodeURIComponent(eventId)}`;

  return {
    url: connection.managerUrl,
    list: async (query) => (await get(`/events${queryString({ ...query })}`)) as EventPage,
    show: async (eventId) => (await get(eventPath(eventId))) as EventDetails,
    retry: async (eventId) =>
      jsonOf(await change("POST", `${eventPath(eventId)}/retry`)) as RetriedEvent,
    retryFailed: async ({ dryRun, ...query }) => {
      const values = { status: "failed", ...query, dry_run: dryRun };
      return jsonOf(await change("POST", `/events/retry${queryString(values)}`)) as RetryPage;
    },
    delete: async (eventId) => {
      await change("DELETE", eventPath(eventId));
    },
    stats: async () => (await get("/stats")) as Stats,
    newUpload: async (upload, idempotencyKey) => {
      const headers = { "idempotency-key": idempotencyKey };
      const answer = await requests.once("POST", "/uploads", upload, headers);
      return answer.status === 200
        ? { arrived: jsonOf(answer) as ArrivedUpload }
        : { signed: jsonOf(answer) as SignedUpload };
    },
    description: () => get("/openapi.json"),
    multipart: multipartClient(requests, wait),
    links: linkClient(requests, wait),
  };
}
