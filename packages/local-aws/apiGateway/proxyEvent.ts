import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { APIGatewayProxyEvent } from "aws-lambda";
import type { HttpRequest } from "../http";
import { isBinary } from "./mediaTypes";
import type { RouteMatch } from "./routes";

/** The values that every request of a stage has. */
export interface StageInfo {
  id: string;
  stageName: string;
  region: string;
  accountId: string;
  binaryMediaTypes: string[];
  /** Changes with the API's definition. */
  deploymentId: string;
}

/** One request in the gateway. */
export interface ReceivedRequest {
  request: HttpRequest;
  /** Below the stage, undecoded, without the query string. */
  path: string;
  query: URLSearchParams;
  sourceIp: string;
  /** Milliseconds. */
  receivedAt: number;
  requestId: string;
  extendedRequestId: string;
}

/** The request under the id that its answer and its event carry. */
export function receiveRequest(
  request: HttpRequest,
  url: string,
  sourceIp: string,
  receivedAt: number,
): ReceivedRequest {
  const queryAt = url.indexOf("?");
  return {
    request,
    path: queryAt < 0 ? url : url.slice(0, queryAt),
    query: new URLSearchParams(queryAt < 0 ? "" : url.slice(queryAt)),
    sourceIp,
    receivedAt,
    requestId: randomUUID(),
    extendedRequestId: randomBytes(11).toString("base64"),
  };
}

/** An id as API Gateway gives to resources and deployments: short, and the same for the same text. */
export function shortId(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 6);
}

// These reach no integration, not even a proxy integration.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
const DROPPED_HEADERS = [
  "connection",
  "content-length",
  "content-md5",
  "expect",
  "max-forwards",
  "proxy-authenticate",
  "server",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "www-authenticate",
];

// API Gateway adds these, or adds to them.
const FORWARDING_HEADERS = [
  "x-amzn-trace-id",
  "x-forwarded-for",
  "x-forwarded-port",
  "x-forwarded-proto",
];

const OMITTED_HEADERS = new Set([...DROPPED_HEADERS, ...FORWARDING_HEADERS]);

// API Gateway writes these its own way, whatever the client sent. Every other name stays unchanged,
// in lower case, as over HTTP/2.
const HEADER_NAMES = new Map([
  ["authorization", "Authorization"],
  ["host", "Host"],
  ["user-agent", "User-Agent"],
]);

function headersOf({ request, sourceIp, receivedAt }: ReceivedRequest): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (!OMITTED_HEADERS.has(name)) {
      headers[HEADER_NAMES.get(name) ?? name] = value;
    }
  }
  const { "x-forwarded-for": forwarded, "x-amzn-trace-id": trace, host = "" } = request.headers;
  const epoch = Math.floor(receivedAt / 1000).toString(16);
  return {
    ...headers,
    "X-Amzn-Trace-Id": trace ?? `Root=1-${epoch}-${randomBytes(12).toString("hex")}`,
    "X-Forwarded-For": forwarded ? `${forwarded}, ${sourceIp}` : sourceIp,
    "X-Forwarded-Port": /:(\d+)$/.exec(host)?.[1] ?? "80",
    "X-Forwarded-Proto": "http",
  };
}

function queryOf(query: URLSearchParams): {
  single: Record<string, string> | null;
  multi: Record<string, string[]> | null;
} {
  if (query.size === 0) {
    return { single: null, multi: null };
  }
  const names = [...new Set(query.keys())];
  return {
    // Of a repeated parameter the single value is the last one.
    single: Object.fromEntries(query),
    multi: Object.fromEntries(names.map((name) => [name, query.getAll(name)])),
  };
}

/** The query string, decoded once, the last value of each name; null when there is none. */
export function queryStringParametersOf(received: ReceivedRequest): Record<string, string> | null {
  return queryOf(received.query).single;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** The Common Log Format's time, in UTC: `10/Jul/2024:12:28:36 +0000`. */
function formatRequestTime(time: number): string {
  const date = new Date(time);
  const iso = date.toISOString();
  const day = `${iso.slice(8, 10)}/${MONTHS[date.getUTCMonth()] ?? ""}/${iso.slice(0, 4)}`;
  return `${day}:${iso.slice(11, 19)} +0000`;
}

/** The path that the client sent: locally the stage's own path has a prefix. */
function clientPathOf({ stageName }: StageInfo, { request, path }: ReceivedRequest): string {
  const stagePath = `/${stageName}${path}`;
  const [sent = ""] = request.url.split("?", 1);
  return sent.endsWith(stagePath) ? sent : stagePath;
}

/** A request's values before its route is known: `$context` for the gateway's own answers. */
export function requestContextOf(stage: StageInfo, received: ReceivedRequest) {
  const { request, receivedAt } = received;
  return {
    accountId: stage.accountId,
    apiId: stage.id,
    deploymentId: stage.deploymentId,
    domainName: request.headers.host ?? `${stage.id}.execute-api.${stage.region}.amazonaws.com`,
    domainPrefix: stage.id,
    extendedRequestId: received.extendedRequestId,
    httpMethod: request.method,
    identity: {
      accessKey: null,
      accountId: null,
      caller: null,
      cognitoAuthenticationProvider: null,
      cognitoAuthenticationType: null,
      cognitoIdentityId: null,
      cognitoIdentityPoolId: null,
      principalOrgId: null,
      sourceIp: received.sourceIp,
      user: null,
      userAgent: request.headers["user-agent"] ?? null,
      userArn: null,
    },
    path: clientPathOf(stage, received),
    protocol: "HTTP/1.1",
    requestId: received.requestId,
    requestTime: formatRequestTime(receivedAt),
    requestTimeEpoch: receivedAt,
    stage: stage.stageName,
  };
}

/**
 * The event of a Lambda proxy integration, format 1.0, as JSON text in UTF-8.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format
 *
 * @param apiKey the caller's key, when the method requires one
 */
export function encodeProxyEvent(
  stage: StageInfo,
  received: ReceivedRequest,
  { route, pathParameters }: RouteMatch,
  apiKey: { id: string; value: string } | undefined,
): Buffer {
  const { request } = received;
  const headers = headersOf(received);
  const query = queryOf(received.query);
  const empty = request.body.length === 0;
  const binary = !empty && isBinary(request.headers["content-type"], stage.binaryMediaTypes);
  const context = requestContextOf(stage, received);
  const key = apiKey && { apiKey: apiKey.value, apiKeyId: apiKey.id };
  const requestContext = {
    ...context,
    authorizer: undefined,
    // The types require apiKey and clientCert; the real event has them only when they apply.
    identity: {
      ...context.identity,
      ...key,
    } as APIGatewayProxyEvent["requestContext"]["identity"],
    resourceId: shortId(stage.id + route.resourcePath),
    resourcePath: route.resourcePath,
  };
  const event: Omit<APIGatewayProxyEvent, "body" | "isBase64Encoded"> = {
    resource: route.resourcePath,
    path: received.path,
    httpMethod: request.method,
    headers,
    multiValueHeaders: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, [value]]),
    ),
    queryStringParameters: query.single,
    multiValueQueryStringParameters: query.multi,
    pathParameters,
    stageVariables: null,
    requestContext,
  };
  return binary
    ? withBase64Body(event, request.body)
    : jsonBytes({
        ...event,
        body: empty ? null : request.body.toString(),
        isBase64Encoded: false,
      });
}

function jsonBytes(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/**
 * Puts the body into the text, which needs no escapes for Base64: JSON would copy it twice in V8's heap,
 * which was a third of all that an upload took from there.
 */
function withBase64Body(event: object, body: Buffer): Buffer {
  const head = Buffer.from(`${JSON.stringify(event).slice(0, -1)},"body":"`);
  const base64 = body.toString("base64");
  const tail = '","isBase64Encoded":true}';
  const text = Buffer.allocUnsafeSlow(head.length + base64.length + tail.length);
  head.copy(text);
  text.write(base64, head.length, "latin1");
  text.write(tail, head.length + base64.length, "latin1");
  return text;
}
