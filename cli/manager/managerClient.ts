import type { EventStatus } from "../../events/event";
import type { Failure } from "../errors";
import { failureOf, jsonOf } from "../http/answer";
import { type Sleep, withRetries } from "../http/retries";
import { type HttpAnswer, send } from "../http/send";
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

/** A period of events, as ISO 8601: `from` inclusive, `to` exclusive. */
export interface EventFilter {
  from?: string;
  to?: string;
}

export interface ListQuery extends EventFilter {
  status?: EventStatus;
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
}

/** Events of the API's largest page. */
export const MAX_PAGE = 500;

type QueryValues = Record<string, string | number | boolean | undefined>;

function queryString(values: QueryValues): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) {
      query.set(name, String(value));
    }
  }
  return query.size === 0 ? "" : `?${query.toString()}`;
}

/** Whether the request had no effect, so that a retry is safe even if it is not idempotent. */
function wasRejected({ status }: Failure): boolean {
  return status === 429 || status === 503;
}

/** @param wait between the attempts of a request */
export function createManagerClient(
  { managerUrl, managerKey }: Connection,
  wait: Sleep,
): ManagerClient {
  const ask = async (method: string, path: string): Promise<HttpAnswer> => {
    const headers = { "x-api-key": managerKey };
    const answer = await send({ method, url: `${managerUrl}${path}`, headers });
    if (answer.status >= 300) {
      throw failureOf(answer);
    }
    return answer;
  };
  const get = async (path: string) => jsonOf(await withRetries(() => ask("GET", path), wait));
  const change = (method: string, path: string) =>
    withRetries(() => ask(method, path), wait, wasRejected);
  const eventPath = (eventId: string) => `/events/${encodeURIComponent(eventId)}`;

  return {
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
      const answer = await send({
        method: "POST",
        url: `${managerUrl}/uploads`,
        headers: {
          "x-api-key": managerKey,
          "content-type": "application/json",
          "idempotency-key": idempotencyKey,
        },
        body: Buffer.from(JSON.stringify(upload)),
      });
      switch (answer.status) {
        case 200:
          return { arrived: jsonOf(answer) as ArrivedUpload };
        case 201:
          return { signed: jsonOf(answer) as SignedUpload };
        default:
          throw failureOf(answer);
      }
    },
    description: () => get("/openapi.json"),
  };
}
