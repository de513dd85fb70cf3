import { AwsError } from "../awsError";
import type { HttpResponse } from "../http";

/** A rule of a bucket's CORS configuration; the first that fits a request counts. */
export interface CorsRule {
  id?: string;
  /** Each with at most one `*`. */
  allowedOrigins: string[];
  allowedMethods: string[];
  /** In any case, each with at most one `*`. */
  allowedHeaders?: string[];
  exposeHeaders?: string[];
  maxAgeSeconds?: number;
}

type Headers = Record<string, string>;

const METHODS = new Set(["GET", "PUT", "POST", "DELETE", "HEAD"]);

const VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

/**
 * Answers a preflight: whether a browser may send a request from another site (OPTIONS).
 *
 * @param rules undefined for a bucket without a CORS configuration
 * @param resourceType the target of the request
 * @throws AwsError BadRequest 400, AccessForbidden 403
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html
 */
export function answerPreflight(
  rules: readonly CorsRule[] | undefined,
  headers: Headers,
  resourceType: "BUCKET" | "OBJECT",
): HttpResponse {
  const { origin } = headers;
  const method = headers["access-control-request-method"];
  if (!origin) {
    throw new AwsError(
      "BadRequest",
      400,
      "Insufficient information. Origin request header needed.",
    );
  }
  if (method === undefined || !METHODS.has(method)) {
    const message = `Invalid Access-Control-Request-Method: ${method ?? "null"}`;
    throw new AwsError("BadRequest", 400, message);
  }
  const details = { Method: method, ResourceType: resourceType };
  if (!rules) {
    const message = "CORSResponse: CORS is not enabled for this bucket.";
    throw new AwsError("AccessForbidden", 403, message, details);
  }
  const wanted = (headers["access-control-request-headers"] ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  const rule = ruleFor(rules, origin, method, wanted);
  if (!rule) {
    throw new AwsError(
      "AccessForbidden",
      403,
      // S3's own spelling.
      "CORSResponse: This CORS request is not allowed. This is usually because the evalution of " +
        "Origin, request method / Access-Control-Request-Method or " +
        "Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
      details,
    );
  }
  return {
    status: 200,
    headers: {
      ...headersOf(rule, origin),
      ...(wanted.length > 0 && { "access-control-allow-headers": wanted.join(", ") }),
    },
    body: Buffer.alloc(0),
  };
}

/** The CORS headers of an answer to a request from another site, errors included. */
export function corsHeaders(
  rules: readonly CorsRule[] | undefined,
  method: string,
  { origin }: Headers,
): Headers {
  const rule = origin ? ruleFor(rules ?? [], origin, method, []) : undefined;
  return rule && origin ? headersOf(rule, origin) : {};
}

function ruleFor(
  rules: readonly CorsRule[],
  origin: string,
  method: string,
  headers: string[],
): CorsRule | undefined {
  return rules.find(
    ({ allowedOrigins, allowedMethods, allowedHeaders = [] }) =>
      allowedOrigins.some((pattern) => fits(pattern, origin)) &&
      allowedMethods.includes(method) &&
      headers.every((name) => allowedHeaders.some((pattern) => fits(pattern.toLowerCase(), name))),
  );
}

function fits(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) {
    return pattern === text;
  }
  return (
    text.length >= pattern.length - 1 &&
    text.startsWith(pattern.slice(0, star)) &&
    text.endsWith(pattern.slice(star + 1))
  );
}

function headersOf(rule: CorsRule, origin: string): Headers {
  const { allowedOrigins, allowedMethods, exposeHeaders = [], maxAgeSeconds } = rule;
  const isOpen = allowedOrigins.includes("*");
  return {
    "access-control-allow-origin": isOpen ? "*" : origin,
    "access-control-allow-methods": allowedMethods.join(", "),
    ...(exposeHeaders.length > 0 && {
      "access-control-expose-headers": exposeHeaders.join(", "),
    }),
    ...(maxAgeSeconds !== undefined && { "access-control-max-age": `${maxAgeSeconds}` }),
    ...(!isOpen && { "access-control-allow-credentials": "true" }),
    vary: VARY,
  };
}
