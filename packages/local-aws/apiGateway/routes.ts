import type { Swagger, SwaggerOperation, SwaggerParameter } from "./swagger";

/** A method on a resource, with the function behind it. */
export interface Route {
  /** In capitals; `ANY` for `x-amazon-apigateway-any-method`. */
  method: string;
  /** The resource's declared path, such as `/files/{proxy+}`. */
  resourcePath: string;
  functionArn: string;
  /** How long the integration may take, in milliseconds. */
  timeout: number;
  apiKeyRequired: boolean;
  /** Parameters that the request validator insists on. */
  requiredParameters: SwaggerParameter[];
}

/** The route of a request, and the values of its path parameters, undecoded. */
export interface RouteMatch {
  route: Route;
  pathParameters: Record<string, string> | null;
}

// API Gateway's default, and its longest for an integration unless the account's quota is raised.
const INTEGRATION_TIMEOUT = 29_000;

const ANY_METHODS = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]);

const INVOCATION_URI =
  /^arn:[^:]+:apigateway:[^:]+:lambda:path\/2015-03-31\/functions\/([^/]+)\/invocations$/;

type Segment = { kind: "literal"; text: string } | { kind: "parameter" | "greedy"; name: string };

interface CompiledRoute extends Route {
  segments: Segment[];
  /** Sorts before every less specific route that could match the same request. */
  rank: string;
}

/** API Gateway ignores trailing slashes. */
function splitPath(path: string): string[] {
  const trimmed = path.replace(/\/+$/, "");
  return trimmed === "" ? [] : trimmed.slice(1).split("/");
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Not an encoding: it is taken literally.
    return segment;
  }
}

function compileSegment(text: string): Segment {
  const parameter = /^\{(.+?)(\+?)\}$/.exec(text);
  if (!parameter?.[1]) {
    return { kind: "literal", text };
  }
  return { kind: parameter[2] ? "greedy" : "parameter", name: parameter[1] };
}

const SEGMENT_RANK = { literal: "0", parameter: "1", greedy: "2" };

function rankOf(segments: Segment[], method: string): string {
  const path = segments.map(({ kind }) => SEGMENT_RANK[kind]).join("");
  // "/" sorts before every digit, so that a method of its own beats ANY on the same path.
  return path + (method === "ANY" ? "~" : "/");
}

function compileRoute(
  swagger: Swagger,
  resourcePath: string,
  key: string,
  operation: SwaggerOperation,
): CompiledRoute {
  const method = key === "x-amazon-apigateway-any-method" ? "ANY" : key.toUpperCase();
  const where = `${method} ${resourcePath}`;
  const integration = operation["x-amazon-apigateway-integration"];
  if (integration?.type.toLowerCase() !== "aws_proxy") {
    throw new Error(
      `${where} has an integration of type ${integration?.type ?? "none"}: the local runner ` +
        "has aws_proxy (Lambda) only. Give the route an eventHandler.",
    );
  }
  const functionArn = INVOCATION_URI.exec(integration.uri ?? "")?.[1];
  if (!functionArn || integration.httpMethod !== "POST") {
    throw new Error(
      `${where} does not invoke a Lambda function: its integration is ` +
        `${integration.httpMethod ?? "no method"} ${integration.uri ?? "without a uri"}; it must ` +
        "be POST arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations.",
    );
  }
  const schemes = (operation.security ?? []).flatMap((security) => Object.keys(security));
  const authorizer = schemes.find(
    (name) => swagger.securityDefinitions?.[name]?.["x-amazon-apigateway-authorizer"],
  );
  const auth = authorizer ?? operation["x-amazon-apigateway-auth"]?.type;
  if (auth && auth !== "NONE") {
    throw new Error(
      `${where} has the authorizer ${auth}: local-aws serves API keys only, and does ` +
        "not let requests pass unchecked.",
    );
  }
  const segments = splitPath(resourcePath).map(compileSegment);
  if (segments.some(({ kind }, index) => kind === "greedy" && index < segments.length - 1)) {
    throw new Error(`${where}: a greedy path parameter must be the last part of its path.`);
  }
  return {
    method,
    resourcePath,
    functionArn,
    timeout: integration.timeoutInMillis ?? INTEGRATION_TIMEOUT,
    apiKeyRequired: schemes.includes("api_key"),
    requiredParameters: requiredParametersOf(swagger, operation),
    segments,
    rank: rankOf(segments, method),
  };
}

function requiredParametersOf(swagger: Swagger, operation: SwaggerOperation): SwaggerParameter[] {
  const key = "x-amazon-apigateway-request-validator";
  const name = operation[key] ?? swagger[key];
  if (name === undefined) {
    return [];
  }
  const validators = swagger["x-amazon-apigateway-request-validators"];
  // awsx names a route's own validator without defining it unless the API has one too.
  const checked = validators?.[name]?.validateRequestParameters ?? name !== "BODY_ONLY";
  if (!checked) {
    return [];
  }
  return (operation.parameters ?? []).filter(({ required }) => required);
}

function matchSegments(pattern: Segment[], path: string[]): Record<string, string> | undefined {
  const greedy = pattern.at(-1)?.kind === "greedy";
  if (greedy ? path.length < pattern.length : path.length !== pattern.length) {
    return undefined;
  }
  const parameters: Record<string, string> = {};
  for (const [index, segment] of pattern.entries()) {
    const text = path[index] ?? "";
    if (segment.kind === "literal") {
      if (decodeSegment(text) !== segment.text) {
        return undefined;
      }
      continue;
    }
    const value = segment.kind === "greedy" ? path.slice(index).join("/") : text;
    if (value === "") {
      return undefined;
    }
    // A REST API passes path parameters on undecoded, still percent-encoded.
    // https://github.com/serverless/serverless/issues/5037
    parameters[segment.name] = value;
  }
  return parameters;
}

/**
 * The routes of a REST API. A route is found by method and path together: a resource without the
 * method leaves the request to a less specific resource that has it.
 *
 * @returns finds the route for a method and a raw path; undefined when there is none
 * @throws Error for a method that is anything but a Lambda proxy integration
 */
export function createRouter(
  swagger: Swagger,
): (method: string, path: string) => RouteMatch | undefined {
  const routes = Object.entries(swagger.paths ?? {})
    .flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) =>
        compileRoute(swagger, path, method, operation),
      ),
    )
    .sort((a, b) => Number(a.rank > b.rank) - Number(a.rank < b.rank));
  return (method, path) => {
    const parts = splitPath(path);
    for (const route of routes) {
      const accepted = route.method === "ANY" ? ANY_METHODS.has(method) : route.method === method;
      const parameters = accepted ? matchSegments(route.segments, parts) : undefined;
      if (!parameters) {
        continue;
      }
      return { route, pathParameters: Object.keys(parameters).length > 0 ? parameters : null };
    }
    return undefined;
  };
}
