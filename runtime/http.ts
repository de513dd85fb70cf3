import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { isTransient } from "./awsErrors";
import { logError } from "./log";

/** An error whose message is for the client. */
export interface HttpError extends Error {
  statusCode: number;
  code: string;
  headers?: Record<string, string>;
}

/**
 * An error that is answered as `{ "error": { "code", "message" } }`. (Not a class: Pulumi cannot
 * serialize one that extends Error.)
 */
export function httpError(
  statusCode: number,
  code: string,
  message: string,
  headers?: Record<string, string>,
): HttpError {
  return Object.assign(new Error(message), { name: "HttpError", statusCode, code, headers });
}

export function isHttpError(thrown: unknown): thrown is HttpError {
  return thrown instanceof Error && thrown.name === "HttpError";
}

/**
 * Headers of every answer, API Gateway's own included (components/restApi/gatewayResponses.ts): an answer is of
 * its declared type only, and its URL, which may have a link's ticket, is told to no other site.
 */
export const EVERY_ANSWER = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};

/** An answer without a body: 204. */
export function emptyResponse(): APIGatewayProxyResult {
  return { statusCode: 204, headers: { "Cache-Control": "no-store", ...EVERY_ANSWER }, body: "" };
}

/** A JSON answer. */
export function jsonResponse(
  statusCode: number,
  body: unknown,
  headers?: Record<string, string>,
): APIGatewayProxyResult {
  return {
    statusCode,
    headers: {
      "Content-Type": "application/json",
      "Cache-Control": "no-store",
      ...EVERY_ANSWER,
      ...headers,
    },
    body: JSON.stringify(body),
  };
}

/** Messages for errors that are not an `HttpError`. */
export interface FailureMessages {
  log: string;
  /** For the client, after a transient error. */
  unavailable: string;
  /** For the client, after a permanent error. */
  failed: string;
}

/**
 * The answer to a request that failed: the `HttpError`'s own, or else 503 after a transient error
 * and 502 after any other. 502 and 503 are logged and carry the request's id.
 */
export function errorAnswer(
  thrown: unknown,
  requestId: string,
  messages: FailureMessages,
): APIGatewayProxyResult {
  if (isHttpError(thrown)) {
    const { code, message, statusCode, headers } = thrown;
    return jsonResponse(statusCode, { error: { code, message } }, headers);
  }
  logError(messages.log, thrown, { request_id: requestId });
  const answer = (statusCode: number, code: string, message: string) =>
    jsonResponse(
      statusCode,
      { error: { code, message, request_id: requestId } },
      statusCode === 503 ? { "Retry-After": "1" } : undefined,
    );
  return isTransient(thrown)
    ? answer(503, "storage_unavailable", `${messages.unavailable} Try again.`)
    : answer(502, "storage_failed", `${messages.failed} The service's log says why.`);
}

/** A header of the request, by its lower-case name. */
export function header(event: APIGatewayProxyEvent, name: string): string | undefined {
  // Null in the API Gateway console's "Test", in spite of the type.
  const headers = event.headers as APIGatewayProxyEvent["headers"] | null;
  for (const [key, value] of Object.entries(headers ?? {})) {
    if (key.toLowerCase() === name) {
      return value;
    }
  }
  return undefined;
}

/** Text whose characters are bytes of UTF-8, as curl sends a header; any other text stays. */
export function fromUtf8(text: string): string {
  if (!/[\x80-\xff]/.test(text) || /[^\0-\xff]/.test(text)) {
    return text;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(text, "latin1"));
  } catch {
    return text;
  }
}

/** The bytes of the request's body. */
export function bodyBytes(event: APIGatewayProxyEvent): Buffer {
  return Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
}
