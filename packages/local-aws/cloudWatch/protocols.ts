import { cbor, dateToTag } from "@smithy/core/cbor";
import { AwsError } from "../awsError";
import type { ServiceErrors } from "../gateway/service";
import type { HttpRequest, HttpResponse } from "../http";
import { jsonErrors, jsonOf } from "../protocols/json";
import { faultOf, formOf, isQueryRequest, queryErrors } from "../protocols/query";
import { splitUrl } from "../url";
import { escapeXml } from "../xml";

/** CloudWatch's own name of its API, in targets and paths. */
export const API = "GraniteServiceVersion20100801";

const NAMESPACE = "http://monitoring.amazonaws.com/doc/2010-08-01/";

/**
 * One of the protocols that CloudWatch speaks. Newer clients speak CBOR or JSON, older ones the query
 * protocol.
 */
export interface Protocol {
  errors: ServiceErrors;
  /** @throws AwsError 400 for a body that cannot be read */
  parametersOf(request: HttpRequest): Record<string, unknown>;
  answer(operation: string, result: object, requestId: string): HttpResponse;
}

const QUERY_ERRORS = queryErrors({ namespace: NAMESPACE, denied: "AccessDenied" });

/** Clients know some errors by the codes of the query protocol, which this header has. */
function queryErrorHeader(error: AwsError): Record<string, string> {
  return { "x-amzn-query-error": `${error.code};${faultOf(error)}` };
}

const JSON_ERRORS = jsonErrors({
  namespace: "com.amazonaws.cloudwatch.v2010_08_01",
  denied: ["AccessDenied", 403],
  headersOf: queryErrorHeader,
});

const CBOR_ERRORS: ServiceErrors = {
  ...JSON_ERRORS,
  render: (error, requestId) => ({
    status: error.status,
    headers: { ...cborHeaders(requestId), ...queryErrorHeader(error) },
    body: Buffer.from(
      cbor.serialize({
        __type: `com.amazonaws.cloudwatch.v2010_08_01#${error.code}`,
        message: error.message,
      }),
    ),
  }),
};

function cborHeaders(requestId: string): Record<string, string> {
  return {
    "content-type": "application/cbor",
    "smithy-protocol": "rpc-v2-cbor",
    "x-amzn-requestid": requestId,
  };
}

/** Each value of a structure or list, replaced; lists and structures are gone through. */
function mapValues(value: unknown, change: (value: unknown) => unknown): unknown {
  const changed = change(value);
  if (changed !== value || typeof value !== "object" || value === null) {
    return changed;
  }
  return Array.isArray(value)
    ? value.map((each) => mapValues(each, change))
    : Object.fromEntries(
        Object.entries(value).map(([key, each]) => [key, mapValues(each, change)]),
      );
}

/** A CBOR tag of a time has its number of seconds. */
function untagged(value: unknown): unknown {
  return typeof value === "object" && value !== null && "tag" in value && "value" in value
    ? Number(value.value)
    : value;
}

const CBOR: Protocol = {
  errors: CBOR_ERRORS,
  parametersOf({ body }) {
    let parameters: unknown;
    try {
      parameters = mapValues(cbor.deserialize(body), untagged);
    } catch {
      throw new AwsError("SerializationException", 400, "The request's body is not CBOR");
    }
    if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters)) {
      throw new AwsError("SerializationException", 400, "The request's body is not a structure");
    }
    return parameters as Record<string, unknown>;
  },
  answer: (_operation, result, requestId) => ({
    status: 200,
    headers: cborHeaders(requestId),
    body: Buffer.from(
      cbor.serialize(
        mapValues(result, (value) => (value instanceof Date ? dateToTag(value) : value)),
      ),
    ),
  }),
};

const JSON_1_0: Protocol = {
  errors: JSON_ERRORS,
  parametersOf: jsonOf,
  answer: (_operation, result, requestId) => ({
    status: 200,
    headers: { "content-type": "application/x-amz-json-1.0", "x-amzn-requestid": requestId },
    body: Buffer.from(
      JSON.stringify(
        mapValues(result, (value) => (value instanceof Date ? value.getTime() / 1000 : value)),
      ),
    ),
  }),
};

/** The structure that a form's names with dots make; `member` marks a list. */
function structureOf(form: URLSearchParams): Record<string, unknown> {
  const root = Object.create(null) as Record<string, unknown>;
  for (const [path, value] of form) {
    const names = path.split(".");
    let at = root;
    for (const name of names.slice(0, -1)) {
      const inner = at[name];
      const next = (
        typeof inner === "object" && inner !== null ? inner : Object.create(null)
      ) as Record<string, unknown>;
      at[name] = next;
      at = next;
    }
    at[names.at(-1) ?? ""] = value;
  }
  return withLists(root) as Record<string, unknown>;
}

function withLists(value: unknown): unknown {
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const { member } = value as { member?: unknown };
  if (typeof member === "object" && member !== null) {
    const numbered = Object.entries(member).sort(([a], [b]) => Number(a) - Number(b));
    return numbered.map(([, each]) => withLists(each));
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withLists(each)]));
}

function xmlOf(name: string, value: unknown): string {
  let content: string;
  if (Array.isArray(value)) {
    content = value.map((each) => xmlOf("member", each)).join("");
  } else if (value instanceof Date) {
    content = value.toISOString();
  } else if (typeof value === "object" && value !== null) {
    content = Object.entries(value)
      .map(([key, each]) => xmlOf(key, each))
      .join("");
  } else {
    content = escapeXml(String(value));
  }
  return `<${name}>${content}</${name}>`;
}

const QUERY: Protocol = {
  errors: QUERY_ERRORS,
  parametersOf: (request) => structureOf(formOf(request)),
  answer: (operation, result, requestId) => ({
    status: 200,
    headers: { "content-type": "text/xml", "x-amzn-requestid": requestId },
    body: Buffer.from(
      `<${operation}Response xmlns="${NAMESPACE}">${xmlOf(`${operation}Result`, result)}` +
        `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>` +
        `</${operation}Response>`,
    ),
  }),
};

/** The protocol that a request speaks. */
export function protocolOf(request: HttpRequest): Protocol {
  if (request.headers["smithy-protocol"] === "rpc-v2-cbor") {
    return CBOR;
  }
  return isQueryRequest(request) ? QUERY : JSON_1_0;
}

/** The operation that a request in CBOR names in its path; undefined for other paths. */
export function operationInPath({ url }: HttpRequest): string | undefined {
  return new RegExp(`^/service/${API}/operation/(\\w+)$`).exec(splitUrl(url).path)?.[1];
}
