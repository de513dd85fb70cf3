import type { APIGatewayProxyEvent } from "aws-lambda";
import { bodyBytes } from "../http";
import { invalid } from "../parameters";

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The request's body, a JSON object; an empty body is one without fields.
 *
 * @param known the fields that the route has
 * @throws an `HttpError` 400 for anything else, and for a field that the route does not have
 */
export function jsonBody(event: APIGatewayProxyEvent, known: string[]): Record<string, unknown> {
  const text = bodyBytes(event).toString("utf8");
  let body: unknown;
  try {
    body = JSON.parse(text === "" ? "{}" : text);
  } catch {
    // Answered below, like any body that is not an object.
  }
  if (!isObject(body)) {
    throw invalid("body", "The body has to be a JSON object.");
  }
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw invalid("body", `The body has no field "${unknown}". Known: ${known.join(", ")}.`);
  }
  return body;
}
