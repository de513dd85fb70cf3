import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";

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
