import type { APIGatewayProxyEvent } from "aws-lambda";
import { createRestApi, type RestApi, type RestApiOptions } from "../../apiGateway/restApi";
import type { HttpRequest, HttpResponse } from "../../http";

export const FUNCTION_ARN = "arn:aws:lambda:eu-central-1:123456789012:function:upload";

/** A method as awsx.classic.apigateway.API writes it. */
export function proxyOperation(functionArn = FUNCTION_ARN): Record<string, unknown> {
  return {
    "x-amazon-apigateway-integration": {
      uri: `arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`,
      passthroughBehavior: "when_no_match",
      httpMethod: "POST",
      type: "aws_proxy",
    },
  };
}

type Paths = Record<string, Record<string, unknown>>;

/** A Swagger body as awsx.classic.apigateway.API writes it. */
export function swaggerOf(paths: Paths, rest: Record<string, unknown> = {}): string {
  const notFound = {
    statusCode: 404,
    responseTemplates: { "application/json": '{"message": "404 Not found" }' },
  };
  return JSON.stringify({
    swagger: "2.0",
    info: { title: "uploads", version: "1.0" },
    paths,
    "x-amazon-apigateway-binary-media-types": ["*/*"],
    "x-amazon-apigateway-gateway-responses": {
      MISSING_AUTHENTICATION_TOKEN: notFound,
      ACCESS_DENIED: notFound,
    },
    "x-amazon-apigateway-api-key-source": "HEADER",
    ...rest,
  });
}

/** What reached the function. */
export interface Invocation {
  functionArn: string;
  event: APIGatewayProxyEvent;
  sourceArn: string;
}

export interface TestApi {
  invocations: Invocation[];
  log: string[];
  send(
    method: string,
    path: string,
    request?: { headers?: Record<string, string>; body?: string | Buffer },
  ): Promise<HttpResponse>;
}

/** An API whose function answers 200, unless the options say otherwise. */
export function createTestApi(options: Partial<RestApiOptions> = {}): TestApi {
  const invocations: Invocation[] = [];
  const log: string[] = [];
  const { invoke, ...rest } = options;
  const api: RestApi = createRestApi({
    id: "abc123",
    stageName: "stage",
    region: "eu-central-1",
    accountId: "123456789012",
    swagger: swaggerOf({ "/upload": { post: proxyOperation(), get: proxyOperation() } }),
    binaryMediaTypes: ["*/*"],
    log: (line) => log.push(line),
    async invoke(functionArn, text, sourceArn) {
      const event = JSON.parse(text.toString()) as APIGatewayProxyEvent;
      invocations.push({ functionArn, event, sourceArn });
      if (invoke) {
        return await invoke(functionArn, text, sourceArn);
      }
      return { payload: '{"statusCode":200,"body":"done"}' };
    },
    ...rest,
  });
  return {
    invocations,
    log,
    send(method, path, { headers = {}, body = "" } = {}) {
      const request: HttpRequest = { method, url: path, headers, body: Buffer.from(body) };
      return api.handle(request, path, { sourceIp: "127.0.0.1" });
    },
  };
}

/** The one event that reached the function. */
export function onlyEvent({ invocations }: TestApi): APIGatewayProxyEvent {
  const [invocation, ...others] = invocations;
  if (!invocation || others.length > 0) {
    throw new Error(`expected one invocation, saw ${invocations.length}`);
  }
  return invocation.event;
}

/** The `message` of a JSON body. */
export function messageOf(response: HttpResponse): string {
  return (JSON.parse(response.body.toString()) as { message: string }).message;
}
