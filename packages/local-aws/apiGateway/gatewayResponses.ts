import type { HttpResponse } from "../http";
import type { GatewayResponse } from "./swagger";

/**
 * The answers of API Gateway itself, with status and x-amzn-errortype. The names are those of
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html,
 * the error types as clients see them. An INTEGRATION_FAILURE is documented as 504 but answers as
 * 500 when Lambda refuses the call and as 502 when the function fails:
 * https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html
 */
const ERRORS = {
  BAD_REQUEST_PARAMETERS: { status: 400, errorType: "BadRequestException" },
  INTEGRATION_FAILURE: { status: 500, errorType: "InternalServerErrorException" },
  INTEGRATION_TIMEOUT: { status: 504, errorType: "InternalServerErrorException" },
  INVALID_API_KEY: { status: 403, errorType: "ForbiddenException" },
  MISSING_AUTHENTICATION_TOKEN: { status: 403, errorType: "MissingAuthenticationTokenException" },
  QUOTA_EXCEEDED: { status: 429, errorType: "LimitExceededException" },
  REQUEST_TOO_LARGE: { status: 413, errorType: "RequestTooLargeException" },
  THROTTLED: { status: 429, errorType: "TooManyRequestsException" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, errorType: "UnsupportedMediaTypeException" },
} as const;

/** The gateway response types that this emulator produces. */
export type GatewayErrorType = keyof typeof ERRORS;

/** Ends a request with an answer of the gateway's own. */
export class GatewayError extends Error {
  /**
   * @param type picks the gateway response
   * @param message for the client, `$context.error.message`
   * @param details `reason`: for the log only; `status`: other than the type's own;
   *   `validationError`: `$context.error.validationErrorString`
   */
  constructor(
    readonly type: GatewayErrorType,
    message: string,
    readonly details: { reason?: string; status?: number; validationError?: string } = {},
  ) {
    super(message);
    this.name = "GatewayError";
  }
}

/** The values that templates and header mappings can read. */
export interface GatewayResponseInput {
  /** The values of `$context`, without `error`. */
  context: Record<string, unknown>;
  /** Request headers by lower-case name. */
  headers: Record<string, string>;
  queryStringParameters: Record<string, string | undefined> | null;
}

// The one error with a default of its own, in plain text, which even DEFAULT_4XX leaves alone.
const TOO_LARGE = "HTTP content length exceeded 10485760 bytes.";
const PLAIN: GatewayResponse = { responseTemplates: { "text/plain": TOO_LARGE } };

/** Over API Gateway's own limit, as opposed to the lower one of Lambda. */
export function payloadTooLarge(): GatewayError {
  return new GatewayError("REQUEST_TOO_LARGE", TOO_LARGE);
}

function pickTemplate(templates: Record<string, string>): [type: string, template: string] {
  const json = "application/json";
  const [first] = Object.entries(templates);
  if (first && !templates[json]) {
    return first;
  }
  return [json, templates[json] ?? '{"message":$context.error.messageString}'];
}

function lookUp(values: unknown, path: string[]): string | undefined {
  let value = values;
  for (const name of path) {
    if (typeof value !== "object" || value === null) {
      return undefined;
    }
    value = (value as Record<string, unknown>)[name];
  }
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

// Gateway responses do not use the template engine; only their variables are replaced.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
function renderTemplate(template: string, context: Record<string, unknown>): string {
  return template.replace(
    /\$context((?:\.[A-Za-z]\w*)+)/g,
    (_, path: string) => lookUp(context, path.slice(1).split(".")) ?? "",
  );
}

function mapParameter(source: string, input: GatewayResponseInput): string | undefined {
  const literal = /^'(.*)'$/.exec(source)?.[1];
  if (literal !== undefined) {
    return literal;
  }
  const [scope = "", ...path] = source.split(".");
  if (scope === "context") {
    return lookUp(input.context, path);
  }
  const name = path.slice(2).join(".");
  if (source.startsWith("method.request.header.")) {
    return input.headers[name.toLowerCase()];
  }
  if (source.startsWith("method.request.querystring.")) {
    return input.queryStringParameters?.[name];
  }
  return undefined;
}

function mapHeaders(
  parameters: Record<string, string>,
  input: GatewayResponseInput,
): Record<string, string> {
  const prefix = "gatewayresponse.header.";
  const headers: Record<string, string> = {};
  for (const [target, source] of Object.entries(parameters)) {
    const value = mapParameter(source, input);
    if (!target.startsWith(prefix) || value === undefined) {
      continue;
    }
    headers[target.slice(prefix.length).toLowerCase()] = value;
  }
  return headers;
}

/**
 * Turns the gateway's errors into answers, by the API's own gateway responses where it has them.
 *
 * @param configured `x-amazon-apigateway-gateway-responses` by response type
 */
export function createGatewayResponses(
  configured: Record<string, GatewayResponse>,
): (error: GatewayError, input: GatewayResponseInput) => HttpResponse {
  return (error, input) => {
    const own = ERRORS[error.type];
    const fallback = configured[own.status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX"];
    const response =
      configured[error.type] ?? (error.message === TOO_LARGE ? PLAIN : fallback) ?? {};
    const [type, template] = pickTemplate(response.responseTemplates ?? {});
    const context = {
      ...input.context,
      error: {
        message: error.message,
        messageString: JSON.stringify(error.message),
        responseType: error.type,
        validationErrorString: error.details.validationError,
      },
    };
    return {
      status: Number(response.statusCode ?? error.details.status ?? own.status),
      headers: {
        "content-type": type,
        "x-amzn-errortype": own.errorType,
        ...mapHeaders(response.responseParameters ?? {}, { ...input, context }),
      },
      body: Buffer.from(renderTemplate(template, context)),
    };
  };
}
