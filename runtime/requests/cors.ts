import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { header } from "../http";

/** `CORS_ORIGINS` has origins separated by commas, or `*` for any; empty: none. */
export type CorsVariable = "CORS_ORIGINS";

/** Which pages may use an API, and how. */
export interface CorsRule {
  /** `CORS_ORIGINS`. */
  origins: string;
  /** The methods of the API, such as `GET, POST`. */
  methods: string;
}

/** For how long a browser may cache the answer to a preflight request, in seconds. */
const MAX_AGE_SECONDS = 3600;

const ALLOWED_HEADERS = [
  "Content-Type",
  "Content-Disposition",
  "Idempotency-Key",
  "X-Requested-With",
  "x-api-key",
];

const EXPOSED_HEADERS = "Location, Retry-After, Idempotent-Replayed";

const METADATA_HEADER = /^x-amz-meta-[!#$%&'*+.^_`|~0-9a-z-]+$/i;

/** @returns the value of `Access-Control-Allow-Origin`; undefined: the page may not read the answer */
function allowedOrigin(origins: string[], event: APIGatewayProxyEvent): string | undefined {
  const origin = header(event, "origin");
  if (origin !== undefined && origins.includes("*")) {
    return "*";
  }
  return origins.find((allowed) => allowed === origin);
}

function isPreflight(event: APIGatewayProxyEvent): boolean {
  return (
    event.httpMethod === "OPTIONS" && header(event, "access-control-request-method") !== undefined
  );
}

/** The headers that a page may send: no wildcard stands for those of metadata. */
function allowedHeaders(event: APIGatewayProxyEvent): string {
  const asked = header(event, "access-control-request-headers") ?? "";
  const metadata = asked
    .split(",")
    .map((name) => name.trim())
    .filter((name) => METADATA_HEADER.test(name));
  return [...ALLOWED_HEADERS, ...metadata].join(", ");
}

function withHeaders(
  answer: APIGatewayProxyResult,
  vary: string | undefined,
  headers: Record<string, string>,
): APIGatewayProxyResult {
  const varies = [answer.headers?.Vary, vary].filter((name) => name !== undefined);
  return {
    ...answer,
    headers: {
      ...answer.headers,
      ...headers,
      ...(varies.length > 0 && { Vary: varies.join(", ") }),
    },
  };
}

/**
 * Lets pages of the allowed origins use an API: answers their preflight requests, which have neither key
 * nor body, and makes every other answer readable for them. Other pages get what they got without it.
 *
 * @param serve answers all other requests, errors included; it has to reject for none
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function withCors<Rest extends unknown[]>(
  rule: CorsRule,
  serve: (event: APIGatewayProxyEvent, ...rest: Rest) => Promise<APIGatewayProxyResult>,
): (event: APIGatewayProxyEvent, ...rest: Rest) => Promise<APIGatewayProxyResult> {
  const origins = rule.origins.split(",").filter((origin) => origin !== "");
  const vary = origins.length === 0 || origins.includes("*") ? undefined : "Origin";
  return async (event, ...rest) => {
    const origin = allowedOrigin(origins, event);
    if (origin === undefined) {
      return withHeaders(await serve(event, ...rest), vary, {});
    }
    if (isPreflight(event)) {
      return withHeaders({ statusCode: 204, body: "" }, vary, {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": rule.methods,
        "Access-Control-Allow-Headers": allowedHeaders(event),
        "Access-Control-Max-Age": String(MAX_AGE_SECONDS),
      });
    }
    return withHeaders(await serve(event, ...rest), vary, {
      "Access-Control-Allow-Origin": origin,
      "Access-Control-Expose-Headers": EXPOSED_HEADERS,
    });
  };
}
