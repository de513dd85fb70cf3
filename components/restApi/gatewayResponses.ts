import type { SwaggerGatewayResponse } from "@pulumi/awsx/classic/apigateway";
import { corsParameters } from "./cors";

/** API Gateway's variable for its own message, already in quotes. */
const OWN_MESSAGE = "$context.error.messageString";

/** @param message JSON: a string in quotes, or one of API Gateway's variables that has its own */
function errorResponse(statusCode: number, code: string, message: string): SwaggerGatewayResponse {
  const requestId = statusCode >= 500 ? ',"request_id":"$context.requestId"' : "";
  const error = `{"code":${JSON.stringify(code)},"message":${message}${requestId}}`;
  return { statusCode, responseTemplates: { "application/json": `{"error":${error}}` } };
}

/** An answer after which the client should wait, in seconds. */
function retryAfter(seconds: number, response: SwaggerGatewayResponse): SwaggerGatewayResponse {
  const responseParameters = { "gatewayresponse.header.Retry-After": `'${seconds}'` };
  return { ...response, responseParameters };
}

/** For the defaults, whose status would replace that of every answer without an entry of its own. */
function ownStatus({ responseTemplates }: SwaggerGatewayResponse): SwaggerGatewayResponse {
  return { responseTemplates } as SwaggerGatewayResponse;
}

/** Headers of each answer, as those of the Lambdas' answers (runtime/http.ts). */
const EVERY_ANSWER = {
  "gatewayresponse.header.Cache-Control": "'no-store'",
  "gatewayresponse.header.X-Content-Type-Options": "'nosniff'",
  "gatewayresponse.header.Referrer-Policy": "'no-referrer'",
};

/**
 * The errors that API Gateway answers itself, before or instead of a Lambda, in the form of the
 * Lambdas' errors: `{ "error": { "code", "message" } }`.
 *
 * @param tooLarge the message for a body that is too large for API Gateway or Lambda
 * @param corsOrigins origins whose pages may read them
 */
export function gatewayResponses(
  tooLarge: string,
  corsOrigins: string[],
): Record<string, SwaggerGatewayResponse> {
  const parameters = { ...EVERY_ANSWER, ...corsParameters(corsOrigins) };
  return Object.fromEntries(
    Object.entries(ownResponses(tooLarge)).map(([type, response]) => [
      type,
      { ...response, responseParameters: { ...response.responseParameters, ...parameters } },
    ]),
  );
}

function ownResponses(tooLarge: string): Record<string, SwaggerGatewayResponse> {
  return {
    DEFAULT_4XX: ownStatus(errorResponse(400, "bad_request", OWN_MESSAGE)),
    DEFAULT_5XX: ownStatus(
      errorResponse(500, "server_error", '"The request could not be served. Try again."'),
    ),
    INTEGRATION_TIMEOUT: errorResponse(504, "timeout", '"The request took too long. Try again."'),
    THROTTLED: retryAfter(
      1,
      errorResponse(429, "too_many_requests", '"Too many requests. Try again later."'),
    ),
    // The program gives no key a quota: the shortest period of one is a day.
    QUOTA_EXCEEDED: retryAfter(3600, errorResponse(429, "quota_exceeded", OWN_MESSAGE)),
    REQUEST_TOO_LARGE: errorResponse(413, "too_large", JSON.stringify(tooLarge)),
    INVALID_API_KEY: errorResponse(403, "forbidden", '"The header x-api-key has no valid key."'),
    ACCESS_DENIED: errorResponse(403, "forbidden", OWN_MESSAGE),
    // API Gateway reports an unknown path or method as a missing token.
    MISSING_AUTHENTICATION_TOKEN: errorResponse(404, "not_found", '"There is nothing here."'),
  };
}
