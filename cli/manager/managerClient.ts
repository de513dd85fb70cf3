import type { EventStatus } from "../events/event";
import type {
  ArrivedUpload,
  EventDetails,
  EventPage,
  NewUpload,
  RetriedEvent,
  RetryPage,
  Stats,
  UploadForm,
} from "./answers";
import type { Connection } from "./connection";
import type { Failure } from "./errors";
import { failureOf, type HttpAnswer, jsonOf, send } from "./http";
import { retrying, type Sleep } from "./retries";

/** Which events; times as ISO 8601, from inclusive, to exclusive. */
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

/** The event manager's API. Everything throws Failure. */
export interface Manager {
  list(query: ListQuery): Promise<EventPage>;
  show(eventId: string): Promise<EventDetails>;
  retry(eventId: string): Promise<RetriedEvent>;
  retryFailed(query: RetryQuery): Promise<RetryPage>;
  delete(eventId: string): Promise<void>;
  stats(): Promise<Stats>;
  /** Asks once: the caller repeats the whole upload. */
  newUpload(
    upload: NewUpload,
    idempotencyKey: string,
  ): Promise<{ form: UploadForm } | { arrived: ArrivedUpload }>;
  /** openapi.json, not checked. */
  description(): Promise<unknown>;
}

/** The largest page that the API gives. */
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

/** Nothing was done: the request may be sent again even if its repetition has another effect. */
function wasTurnedAway({ status }: Failure): boolean {
  return status === 429 || status === 503;
}

/** @param wait between the tries of a request that failed */
export function createManager({ managerUrl, managerKey }: Connection, wait: Sleep): Manager {
  const ask = async (method: string, path: string): Promise<HttpAnswer> => {
    const headers = { "x-api-key": managerKey };
    const answer = await send({ method, url: `${managerUrl}${path}`, headers });
    if (answer.status >= 300) {
      throw failureOf(answer);
    }
    return answer;
  };
  const get = async (path: string) => jsonOf(await retrying(() => ask("GET", path), wait));
  const change = (method: string, path: string) =>
    retrying(() => ask(method, path), wait, wasTurnedAway);
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
          return { form: jsonOf(answer) as UploadForm };
        default:
          throw failureOf(answer);
      }
    },
    description: () => get("/openapi.json"),
  };
}
