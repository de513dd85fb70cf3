import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { isPassing } from "./awsErrors";
import { logError } from "./log";

/** A refusal, worded for the client. */
export interface HttpError extends Error {
  statusCode: number;
  code: string;
  headers?: Record<string, string>;
}

/**
 * Makes the error that becomes the answer `{ "error": { "code", "message" } }`. (Not a class:
 * Pulumi cannot serialize one that extends Error.)
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

/** An answer with a JSON body. */
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
      "X-Content-Type-Options": "nosniff",
      ...headers,
    },
    body: JSON.stringify(body),
  };
}

/**
 * The answer to a request that failed: of an `HttpError`, what it says; of anything else, 503 where
 * another try may help, or 502, with the request's id, which the log has as well.
 *
 * @param wording what failed, for the log; what cannot be done now; what could not be done
 */
export function errorAnswer(
  thrown: unknown,
  requestId: string,
  wording: { log: string; unavailable: string; failed: string },
): APIGatewayProxyResult {
  if (isHttpError(thrown)) {
    const { code, message, statusCode, headers } = thrown;
    return jsonResponse(statusCode, { error: { code, message } }, headers);
  }
  logError(wording.log, thrown, { request_id: requestId });
  const answer = (statusCode: number, code: string, message: string) =>
    jsonResponse(
      statusCode,
      { error: { code, message, request_id: requestId } },
      statusCode === 503 ? { "Retry-After": "1" } : undefined,
    );
  return isPassing(thrown)
    ? answer(503, "storage_unavailable", `${wording.unavailable} Try again.`)
    : answer(502, "storage_failed", `${wording.failed} The service's log says why.`);
}

/** A header of the request by its lower-case name, whichever way the client wrote it. */
export function header(event: APIGatewayProxyEvent, name: string): string | undefined {
  // Null in the console's "Test", whatever the type says.
  const headers = event.headers as APIGatewayProxyEvent["headers"] | null;
  for (const [key, value] of Object.entries(headers ?? {})) {
    if (key.toLowerCase() === name) {
      return value;
    }
  }
  return undefined;
}

/** The request's body, byte for byte. */
export function bodyBytes(event: APIGatewayProxyEvent): Buffer {
  return Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
}
