/** A gateway response of the Swagger body. */
export interface GatewayResponse {
  statusCode?: number | string;
  /** By content type. */
  responseTemplates?: Record<string, string>;
  /** `gatewayresponse.header.NAME` → a quoted literal, or a request parameter. */
  responseParameters?: Record<string, string>;
}

/** A parameter of a method in the Swagger body. */
export interface SwaggerParameter {
  name: string;
  in: string;
  required?: boolean;
}

/** A method of the Swagger body. */
export interface SwaggerOperation {
  parameters?: SwaggerParameter[];
  security?: Record<string, string[]>[];
  "x-amazon-apigateway-auth"?: { type: string };
  "x-amazon-apigateway-request-validator"?: string;
  "x-amazon-apigateway-integration"?: {
    type: string;
    uri?: string;
    httpMethod?: string;
    timeoutInMillis?: number;
  };
}

/** What the emulator reads of a RestApi's `body`: Swagger 2.0 with API Gateway's extensions. */
export interface Swagger {
  paths?: Record<string, Record<string, SwaggerOperation>>;
  securityDefinitions?: Record<string, { "x-amazon-apigateway-authorizer"?: unknown }>;
  "x-amazon-apigateway-api-key-source"?: string;
  "x-amazon-apigateway-gateway-responses"?: Record<string, GatewayResponse>;
  "x-amazon-apigateway-request-validator"?: string;
  "x-amazon-apigateway-request-validators"?: Record<
    string,
    { validateRequestParameters?: boolean }
  >;
}

/**
 * Reads a RestApi's `body`.
 *
 * @throws Error when it is not JSON, or takes the API key from somewhere else than the header
 */
export function parseSwagger(body: string): Swagger {
  let swagger: Swagger;
  try {
    swagger = JSON.parse(body) as Swagger;
  } catch (error) {
    throw new Error("The RestApi's body is not JSON: give it Swagger 2.0 as JSON.", {
      cause: error,
    });
  }
  const source = swagger["x-amazon-apigateway-api-key-source"] ?? "HEADER";
  if (source !== "HEADER") {
    throw new Error(
      `The local runner takes API keys from the x-api-key header only, not from ${source}: ` +
        "set the API's apiKeySource to HEADER.",
    );
  }
  return swagger;
}
