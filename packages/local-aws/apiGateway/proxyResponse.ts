import type { HttpResponse } from "../http";
import { isBinary } from "./mediaTypes";

const FIELDS = new Set(["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"]);

// API Gateway reserves these, and passes the function's own on under another name.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
const REMAPPED_HEADERS = new Set(["connection", "content-length", "date", "server"]);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsePayload(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    // Lambda's own payloads are always JSON; anything else is malformed.
    return undefined;
  }
}

/** A header's value as text; undefined for a value that no header can have. */
function headerText(value: unknown): string | undefined {
  if (typeof value === "string") {
    return value;
  }
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** Names in lower case; undefined when a value cannot be a header's. */
function readHeaders(headers: unknown, multi: unknown): Record<string, string> | undefined {
  const single = headers ?? {};
  const many = multi ?? {};
  if (!isRecord(single) || !isRecord(many)) {
    return undefined;
  }
  const read: Record<string, string> = {};
  for (const [name, value] of Object.entries(single)) {
    const text = headerText(value);
    if (text === undefined) {
      return undefined;
    }
    read[name.toLowerCase()] = text;
  }
  for (const [name, values] of Object.entries(many)) {
    const texts = Array.isArray(values) ? values.map(headerText) : [undefined];
    if (texts.includes(undefined)) {
      return undefined;
    }
    // Where both name a header, the list wins.
    read[name.toLowerCase()] = texts.join(", ");
  }
  return read;
}

function remapHeaders(headers: Record<string, string>): Record<string, string> {
  const remapped: Record<string, string> = { "content-type": "application/json" };
  for (const [name, value] of Object.entries(headers)) {
    if (name === "transfer-encoding") {
      continue;
    }
    remapped[REMAPPED_HEADERS.has(name) ? `x-amzn-remapped-${name}` : name] = value;
  }
  return remapped;
}

/**
 * Reads a function's answer to a Lambda proxy integration. Every field may be missing; no other is
 * allowed.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
 *
 * @param accept the request's Accept header: base64 is decoded only for a binary media type
 * @returns undefined for a malformed response
 */
export function readProxyResponse(
  payload: string,
  accept: string | undefined,
  binaryMediaTypes: string[],
): HttpResponse | undefined {
  const response = parsePayload(payload);
  if (!isRecord(response)) {
    return undefined;
  }
  if (Object.keys(response).some((field) => !FIELDS.has(field))) {
    return undefined;
  }
  const { statusCode, body, isBase64Encoded } = response;
  const status = Number(statusCode ?? 200);
  if (!Number.isInteger(status) || status < 100 || status > 599) {
    return undefined;
  }
  if (typeof (body ?? "") !== "string") {
    return undefined;
  }
  const headers = readHeaders(response.headers, response.multiValueHeaders);
  if (!headers) {
    return undefined;
  }
  const decode = isBase64Encoded === true && isBinary(accept, binaryMediaTypes);
  return {
    status,
    headers: remapHeaders(headers),
    body: Buffer.from((body ?? "") as string, decode ? "base64" : "utf8"),
  };
}
