import * as http from "node:http";
import * as https from "node:https";
import { pipeline } from "node:stream/promises";
import { Failure } from "./errors";

/** A body that is made while it is sent. */
export interface StreamedBody {
  /** Bytes, exactly. */
  length: number;
  chunks: AsyncIterable<Buffer>;
}

export interface HttpCall {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: Buffer | StreamedBody;
}

export interface HttpAnswer {
  status: number;
  /** Names in lower case. */
  headers: http.IncomingHttpHeaders;
  text: string;
}

/** Without a byte in either direction; API Gateway answers within 29 seconds. */
const IDLE_MS = 120_000;

/** Errors that another try meets again. */
const LASTING_ERRORS = [
  "ENOTFOUND",
  "EPROTO",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
];

function readAnswer(request: http.ClientRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, text: Buffer.concat(chunks).toString() });
      });
    });
  });
}

/** The failure that a connection's error is; what the body's own source throws stays as it is. */
function connectionFailure(error: unknown, host: string): unknown {
  if (error instanceof Failure) {
    return error;
  }
  // Where a name has several addresses, the message is empty.
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new Failure("network_error", `No answer from ${host}: ${message || code}.`, {
    mayPass: !LASTING_ERRORS.includes(code),
  });
}

/**
 * Sends one request and reads its answer, whatever its status; redirects are not followed.
 *
 * @throws Failure `network_error`, and what a streamed body's source throws
 */
export async function send({ method, url, headers, body }: HttpCall): Promise<HttpAnswer> {
  const target = new URL(url);
  const { request: start } = target.protocol === "https:" ? https : http;
  const request = start(target, {
    method,
    headers: { ...headers, ...(body && { "content-length": String(body.length) }) },
    timeout: IDLE_MS,
  });
  request.on("timeout", () => {
    request.destroy(new Error(`nothing for ${IDLE_MS / 1000} seconds`));
  });
  const answer = readAnswer(request);
  if (body === undefined || Buffer.isBuffer(body)) {
    request.end(body);
    return answer.catch((error: unknown) => {
      throw connectionFailure(error, target.host);
    });
  }
  let sourceFailure: unknown;
  const sent = pipeline(body.chunks, request).catch((error: unknown) => {
    // The request only tells of a connection that was broken off.
    sourceFailure = error instanceof Failure ? error : undefined;
  });
  try {
    return await answer;
  } catch (error) {
    await sent;
    throw connectionFailure(sourceFailure ?? error, target.host);
  } finally {
    // An answer may come before the body's end, and the rest is of no use then.
    request.destroy();
    await sent;
  }
}

/** @throws Failure `invalid_answer` */
export function jsonOf({ status, text }: HttpAnswer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure("invalid_answer", "The answer is not JSON. Is the manager's URL right?", {
      status,
    });
  }
}

function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return ms > 0 ? ms : undefined;
}

function errorIn(text: string): { code?: unknown; message?: unknown; request_id?: unknown } {
  try {
    const { error } = JSON.parse(text) as { error?: object | null };
    return error ?? {};
  } catch {
    return {};
  }
}

/** The failure that an answer of the two APIs stands for: `{"error":{"code","message"}}`. */
export function failureOf(answer: HttpAnswer): Failure {
  const { status, headers, text } = answer;
  const { code, message, request_id: requestId } = errorIn(text);
  const worded = typeof message === "string" ? message : `The answer has the status ${status}.`;
  return new Failure(
    typeof code === "string" ? code : `http_${status}`,
    typeof requestId === "string" ? `${worded} (request ${requestId})` : worded,
    {
      status,
      mayPass: status === 429 || status >= 500,
      retryAfterMs: retryAfterMs(headers["retry-after"]),
    },
  );
}
