import type { APIGatewayProxyEvent } from "aws-lambda";
import { type HttpError, httpError } from "./http";

/** The query parameters of a request. */
export type Parameters = Record<string, string>;

export function invalid(name: string, message: string): HttpError {
  return httpError(400, `invalid_${name}`, message);
}

/**
 * Reads the query parameters.
 *
 * @throws an `HttpError` 400 for an unknown parameter (a misspelled one would widen the query), and
 *   for a repeated one
 */
export function parametersOf(event: APIGatewayProxyEvent, known: string[]): Parameters {
  const parameters: Parameters = {};
  // Null where there is no query, in spite of the type.
  const query = event.multiValueQueryStringParameters as Record<string, string[]> | null;
  for (const [name, values] of Object.entries(query ?? {})) {
    if (!known.includes(name)) {
      throw httpError(
        400,
        "unknown_parameter",
        `There is no parameter "${name}" here. Known: ${known.join(", ") || "none"}.`,
      );
    }
    const [value, ...more] = values;
    if (value === undefined || more.length > 0) {
      throw invalid(name, `The parameter "${name}" has to be given once.`);
    }
    parameters[name] = value;
  }
  return parameters;
}
