import type { Failure } from "../errors";
import { failureOf, jsonOf } from "../http/answer";
import { type Sleep, withRetries } from "../http/retries";
import { type HttpAnswer, send } from "../http/send";
import type { Connection } from "./connection";

/** Requests to the event manager, with its key. All throw Failure. */
export interface ManagerRequests {
  /** One attempt. @param body sent as JSON */
  once(method: string, path: string, body?: object, headers?: Headers): Promise<HttpAnswer>;
  /** Reads JSON; retried after transient failures. */
  get(path: string): Promise<unknown>;
  /** Retried only where the request had no effect, so that it need not be idempotent. */
  change(method: string, path: string, body?: object): Promise<HttpAnswer>;
}

type Headers = Record<string, string>;

/** Whether the request had no effect, so that a retry is safe even if it is not idempotent. */
function wasRejected({ status }: Failure): boolean {
  return status === 429 || status === 503;
}

/** @param wait between the attempts of a request */
export function managerRequests(
  { managerUrl, managerKey }: Connection,
  wait: Sleep,
): ManagerRequests {
  const once: ManagerRequests["once"] = async (method, path, body, headers) => {
    const answer = await send({
      method,
      url: `${managerUrl}${path}`,
      headers: {
        "x-api-key": managerKey,
        ...(body && { "content-type": "application/json" }),
        ...headers,
      },
      body: body && Buffer.from(JSON.stringify(body)),
    });
    if (answer.status >= 300) {
      throw failureOf(answer);
    }
    return answer;
  };
  return {
    once,
    get: async (path) => jsonOf(await withRetries(() => once("GET", path), wait)),
    change: (method, path, body) =>
      withRetries(() => once(method, path, body), wait, { isRetryable: wasRejected }),
  };
}

export type QueryValues = Record<string, string | number | boolean | undefined>;

/** With the question mark; empty without values. */
export function queryString(values: QueryValues): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) {
      query.set(name, String(value));
    }
  }
  return query.size === 0 ? "" : `?${query.toString()}`;
}
