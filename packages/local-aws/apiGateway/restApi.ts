import { AwsError } from "../awsError";
import type { HttpRequest, HttpResponse } from "../http";
import { compressed, decompressed } from "./compression";
import { createGatewayResponses, GatewayError, payloadTooLarge } from "./gatewayResponses";
import {
  encodeProxyEvent,
  queryStringParametersOf,
  type ReceivedRequest,
  receiveRequest,
  requestContextOf,
  shortId,
} from "./proxyEvent";
import { readProxyResponse } from "./proxyResponse";
import { createRouter, type Route } from "./routes";
import { parseSwagger } from "./swagger";
import {
  createStageThrottle,
  createUsagePlans,
  type ThrottleSettings,
  type UsagePlan,
} from "./throttle";

/** A function's answer: its payload, JSON text, and which kind of error it is, if it is one. */
export interface InvokeResult {
  payload: string;
  functionError?: string;
}

/** One stage of a REST API, as the program registered it. */
export interface RestApiOptions {
  id: string;
  stageName: string;
  region: string;
  accountId: string;
  /** The RestApi's `body`: Swagger 2.0 as JSON. */
  swagger: string;
  /** The RestApi's own, which count, whatever the body says. */
  binaryMediaTypes: string[];
  /**
   * From how many bytes on answers are compressed; requests may then be, too. @default neither
   */
  compressedFromBytes?: number;
  /** The stage's MethodSettings for all methods, each of which has a bucket of its own. */
  throttle?: ThrottleSettings;
  /** The usage plans that name this stage. */
  usagePlans?: UsagePlan[];
  /**
   * Invokes a function and waits for it. An AwsError means that Lambda refused the invocation; any
   * other error is a defect of this package, and `handle` rethrows it.
   *
   * @param event JSON text in UTF-8
   * @param sourceArn the method and resource that call, for the function's resource policy
   */
  invoke(functionArn: string, event: Buffer, sourceArn: string): Promise<InvokeResult>;
  /** Milliseconds. @default Date.now */
  now?: () => number;
  /** Takes the line that API Gateway would write to its execution log. */
  log?: (message: string) => void;
}

/** Answers the requests of one stage. */
export interface RestApi {
  /**
   * @param path below the stage, undecoded, with the query string
   * @returns headers have lower-case names; no content-length
   */
  handle(request: HttpRequest, path: string, client: { sourceIp: string }): Promise<HttpResponse>;
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const MAX_REQUEST_BYTES = 10_485_760;

const INTERNAL_ERROR = "Internal server error";

/** Settles as the promise does, or fails with the gateway's answer when that takes too long. */
async function withinTimeout<T>(promise: Promise<T>, route: Route): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const reason = `${route.functionArn} took longer than ${route.timeout} ms`;
      reject(new GatewayError("INTEGRATION_TIMEOUT", "Endpoint request timed out", { reason }));
    }, route.timeout);
    // A request that is still open must not keep the process running.
    timer.unref();
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function asGatewayError(error: unknown): unknown {
  if (!(error instanceof AwsError)) {
    return error;
  }
  const reason = `Lambda refused the invocation: ${error.code}: ${error.message}`;
  if (error.code === "RequestEntityTooLargeException") {
    return new GatewayError("REQUEST_TOO_LARGE", "Request Too Long", { reason });
  }
  return new GatewayError("INTEGRATION_FAILURE", INTERNAL_ERROR, { reason });
}

function checkRequiredParameters(
  route: Route,
  { request, query }: ReceivedRequest,
  pathParameters: Record<string, string> | null,
): void {
  const missing = route.requiredParameters.filter(({ name, in: where }) => {
    if (where === "header") {
      return !request.headers[name.toLowerCase()];
    }
    if (where === "query") {
      return !query.get(name);
    }
    return where === "path" && !pathParameters?.[name];
  });
  if (missing.length === 0) {
    return;
  }
  const names = missing.map(({ name }) => name).join(", ");
  const message = `Missing required request parameters: [${names}]`;
  throw new GatewayError("BAD_REQUEST_PARAMETERS", message, { validationError: `[${names}]` });
}

/**
 * Emulates one stage of an Amazon API Gateway REST API with Lambda proxy integrations: routing, API
 * keys, usage plans, throttling, required parameters, limits and gateway responses.
 *
 * @throws Error when the Swagger body needs a feature that the emulator lacks
 */
export function createRestApi(options: RestApiOptions): RestApi {
  const now = options.now ?? Date.now;
  const swagger = parseSwagger(options.swagger);
  const findRoute = createRouter(swagger);
  const takeStageToken = createStageThrottle(options.throttle, now);
  const findKey = createUsagePlans(options.usagePlans ?? [], now);
  const answerError = createGatewayResponses(
    swagger["x-amazon-apigateway-gateway-responses"] ?? {},
  );
  const stage = { ...options, deploymentId: shortId(options.swagger) };

  function admit(
    route: Route,
    apiKey: string | undefined,
  ): { id: string; value: string } | undefined {
    // Without the requirement a key is neither checked nor counted.
    if (!route.apiKeyRequired) {
      return undefined;
    }
    const key = apiKey === undefined ? undefined : findKey(apiKey);
    if (apiKey === undefined || !key) {
      throw new GatewayError("INVALID_API_KEY", "Forbidden");
    }
    const refusal = key.admit();
    if (refusal === "THROTTLED") {
      throw new GatewayError(refusal, "Too Many Requests");
    }
    if (refusal) {
      throw new GatewayError(refusal, "Limit Exceeded");
    }
    return { id: key.id, value: apiKey };
  }

  async function integrate(received: ReceivedRequest): Promise<HttpResponse> {
    const { request, path } = received;
    if (request.body.length > MAX_REQUEST_BYTES) {
      throw payloadTooLarge();
    }
    const match = findRoute(request.method, path);
    if (!match) {
      throw new GatewayError("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token");
    }
    const { route } = match;
    const apiKey = admit(route, request.headers["x-api-key"]);
    if (!takeStageToken(`${route.method} ${route.resourcePath}`)) {
      throw new GatewayError("THROTTLED", "Too Many Requests");
    }
    checkRequiredParameters(route, received, match.pathParameters);
    const event = encodeProxyEvent(stage, received, match, apiKey);
    const sourceArn =
      `arn:aws:execute-api:${options.region}:${options.accountId}:` +
      `${options.id}/${options.stageName}/${request.method}${route.resourcePath}`;
    const result = await withinTimeout(options.invoke(route.functionArn, event, sourceArn), route);
    const response = result.functionError
      ? undefined
      : readProxyResponse(result.payload, request.headers.accept, options.binaryMediaTypes);
    if (response) {
      return response;
    }
    const reason = result.functionError
      ? `${route.functionArn} failed (${result.functionError}): ${result.payload}`
      : `malformed Lambda proxy response from ${route.functionArn}: ${result.payload}`;
    throw new GatewayError("INTEGRATION_FAILURE", INTERNAL_ERROR, { reason, status: 502 });
  }

  function answerFailure(thrown: unknown, received: ReceivedRequest): HttpResponse {
    const error = asGatewayError(thrown);
    if (!(error instanceof GatewayError)) {
      throw error;
    }
    const { request, path } = received;
    const { reason } = error.details;
    if (reason) {
      // Not its path: a segment of it may be a secret, such as a signed link's.
      const { resourcePath } = findRoute(request.method, path)?.route ?? { resourcePath: "" };
      options.log?.(`${request.method} ${resourcePath}: ${reason}`);
    }
    return answerError(error, {
      context: requestContextOf(stage, received),
      headers: request.headers,
      queryStringParameters: queryStringParametersOf(received),
    });
  }

  /** API Gateway answers so before it looks for a route. */
  function refuseCoding(): Promise<HttpResponse> {
    return Promise.reject(new GatewayError("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type"));
  }

  return {
    async handle(sent, path, { sourceIp }) {
      const { compressedFromBytes } = options;
      const decoded =
        compressedFromBytes === undefined ? sent : decompressed(sent, MAX_REQUEST_BYTES);
      const request = decoded ?? sent;
      const received = receiveRequest(request, path, sourceIp, now());
      const plain = await (decoded ? integrate(received) : refuseCoding()).catch((error: unknown) =>
        answerFailure(error, received),
      );
      const response = compressed(plain, request.headers["accept-encoding"], compressedFromBytes);
      return {
        status: response.status,
        headers: {
          ...response.headers,
          "x-amzn-requestid": received.requestId,
          "x-amz-apigw-id": received.extendedRequestId,
        },
        body: request.method === "HEAD" ? Buffer.alloc(0) : response.body,
      };
    },
  };
}
