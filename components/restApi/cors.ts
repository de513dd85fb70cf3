import type { Link } from "../link";

/** To answer pages of other origins (`withCors` of runtime/requests/cors.ts). */
export function answeringPages(corsOrigins: string[]): Link<"CORS_ORIGINS"> {
  return { environment: { CORS_ORIGINS: corsOrigins.join(",") }, grants: [] };
}

/**
 * The header that lets pages read API Gateway's own answers, as its parameter and value. Such an answer
 * has constant headers, without a choice by the request's origin: with several origins in the setting,
 * any page may read it, which has nothing but the error.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
 */
export function corsParameters(corsOrigins: string[]): Record<string, string> {
  const [only, ...others] = corsOrigins;
  if (only === undefined) {
    return {};
  }
  return {
    "gatewayresponse.header.Access-Control-Allow-Origin": `'${others.length > 0 ? "*" : only}'`,
    "gatewayresponse.header.Access-Control-Expose-Headers": "'Retry-After'",
  };
}
