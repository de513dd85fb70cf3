import { expect } from "chai";
import type { InvokeResult } from "../../apiGateway/restApi";
import { AwsError } from "../../awsError";
import { createTestApi, messageOf, proxyOperation, swaggerOf } from "./fixtures";

const FAILED: InvokeResult = { payload: '{"errorMessage":"secret"}', functionError: "Unhandled" };

function apiWith(
  gatewayResponses: Record<string, unknown>,
  invoke: () => Promise<InvokeResult> = () => Promise.resolve(FAILED),
) {
  const rest = { "x-amazon-apigateway-gateway-responses": gatewayResponses };
  return createTestApi({ swagger: swaggerOf({ "/a": { get: proxyOperation() } }, rest), invoke });
}

describe("REST API gateway responses", () => {
  it("answers 502 for a function that failed, and writes the reason to the log only", async () => {
    const api = apiWith({});
    const response = await api.send("GET", "/a");
    expect(response.status).to.equal(502);
    expect(response.body.toString()).to.equal('{"message":"Internal server error"}');
    expect(response.headers).to.include({
      "content-type": "application/json",
      "x-amzn-errortype": "InternalServerErrorException",
    });
    expect(response.headers["x-amzn-requestid"]).to.be.a("string");
    expect(api.log.join()).to.match(/GET \/a: .*function:upload failed \(Unhandled\).*secret/);
  });

  it("answers 502 for a malformed response, and logs it", async () => {
    const api = apiWith({}, () => Promise.resolve({ payload: '"ok"' }));
    expect((await api.send("GET", "/a")).status).to.equal(502);
    expect(api.log.join()).to.match(/malformed Lambda proxy response .*"ok"/);
  });

  it("answers 500 when Lambda refuses the invocation", async () => {
    const denied = new AwsError("AccessDeniedException", 403, "no permission");
    const api = apiWith({}, () => Promise.reject(denied));
    const response = await api.send("GET", "/a");
    expect(response.status).to.equal(500);
    expect(messageOf(response)).to.equal("Internal server error");
    expect(api.log.join()).to.contain("AccessDeniedException: no permission");
  });

  it("answers 413 when the event is too large for Lambda", async () => {
    const tooLarge = new AwsError("RequestEntityTooLargeException", 413, "over 6291456 bytes");
    const response = await apiWith({}, () => Promise.reject(tooLarge)).send("GET", "/a");
    expect(response.status).to.equal(413);
    expect(messageOf(response)).to.equal("Request Too Long");
  });

  it("names the route in the log, not the path, a part of which may be a secret", async () => {
    const tooLarge = new AwsError("RequestEntityTooLargeException", 413, "over 6291456 bytes");
    const api = createTestApi({
      swagger: swaggerOf({ "/{proxy+}": { "x-amazon-apigateway-any-method": proxyOperation() } }),
      invoke: () => Promise.reject(tooLarge),
    });
    expect((await api.send("POST", "/secret/files")).status).to.equal(413);
    expect(api.log.join()).to.match(/^POST \/\{proxy\+\}: .*RequestEntityTooLargeException/);
  });

  it("answers 504 when the function takes longer than the integration may", async () => {
    const operation = proxyOperation();
    Object.assign(operation["x-amazon-apigateway-integration"] as object, { timeoutInMillis: 50 });
    const api = createTestApi({
      swagger: swaggerOf({ "/a": { get: operation } }),
      invoke: () => new Promise(() => undefined),
    });
    const response = await api.send("GET", "/a");
    expect(response.status).to.equal(504);
    expect(messageOf(response)).to.equal("Endpoint request timed out");
    expect(api.log.join()).to.contain("longer than 50 ms");
  });

  it("throws errors that are not AWS's, so that a defect of the package is seen", async () => {
    const fault = new TypeError("undefined is not a function");
    const api = apiWith({}, () => Promise.reject(fault));
    const caught = await api.send("GET", "/a").catch((error: unknown) => error);
    expect(caught).to.equal(fault);
  });

  it("answers an unknown path with 403 where the API maps it to nothing else", async () => {
    const response = await apiWith({}).send("GET", "/b");
    expect(response.status).to.equal(403);
    expect(messageOf(response)).to.equal("Missing Authentication Token");
    expect(response.headers["x-amzn-errortype"]).to.equal("MissingAuthenticationTokenException");
  });

  it("fills templates and headers, from the request and from $context", async () => {
    const template =
      '{"m":$context.error.messageString,"t":"$context.error.responseType.","r":"$context.requestId",' +
      '"p":"$context.path","s":"$context.stage","ip":"$context.identity.sourceIp","x":"$context.no.such"}';
    const api = apiWith({
      INTEGRATION_FAILURE: {
        statusCode: "456",
        responseTemplates: { "application/json": template },
        responseParameters: {
          "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
          "gatewayresponse.header.X-Key": "method.request.header.X-Api-Key",
          "gatewayresponse.header.X-Name": "method.request.querystring.name",
          "gatewayresponse.header.X-Type": "context.error.responseType",
          "gatewayresponse.header.X-None": "method.request.header.None",
        },
      },
    });
    const response = await api.send("GET", "/a?name=b", { headers: { "x-api-key": "k" } });
    expect(response.status).to.equal(456);
    expect(JSON.parse(response.body.toString())).to.deep.equal({
      m: "Internal server error",
      t: "INTEGRATION_FAILURE.",
      r: response.headers["x-amzn-requestid"],
      p: "/stage/a",
      s: "stage",
      ip: "127.0.0.1",
      x: "",
    });
    expect(response.headers).to.include({
      "access-control-allow-origin": "*",
      "x-key": "k",
      "x-name": "b",
      "x-type": "INTEGRATION_FAILURE",
    });
    expect(response.headers).not.to.have.property("x-none");
  });

  it("falls back to DEFAULT_4XX and DEFAULT_5XX, which keep the status unless they set one", async () => {
    const api = apiWith({
      DEFAULT_4XX: { responseTemplates: { "text/html": "<b>$context.error.message</b>" } },
      DEFAULT_5XX: { statusCode: 503 },
    });
    const unknown = await api.send("GET", "/b");
    expect(unknown.status).to.equal(403);
    expect(unknown.headers["content-type"]).to.equal("text/html");
    expect(unknown.body.toString()).to.equal("<b>Missing Authentication Token</b>");
    const failed = await api.send("GET", "/a");
    expect(failed.status).to.equal(503);
    expect(messageOf(failed)).to.equal("Internal server error");
  });

  it("lets the API answer even a request that is too long for the gateway", async () => {
    const template = { "application/json": '{"message":"too big"}' };
    const api = apiWith({ REQUEST_TOO_LARGE: { responseTemplates: template } });
    const response = await api.send("GET", "/a", { body: Buffer.alloc(10_485_761) });
    expect(response.status).to.equal(413);
    expect(messageOf(response)).to.equal("too big");
  });

  describe("required parameters", () => {
    const operation = {
      ...proxyOperation(),
      parameters: [
        { name: "filename", in: "query", required: true },
        { name: "X-Kind", in: "header", required: true },
      ],
    };

    it("are required by the API's or the method's validator", async () => {
      const api = createTestApi({
        swagger: swaggerOf(
          { "/a": { get: operation } },
          {
            "x-amazon-apigateway-request-validators": { ALL: { validateRequestParameters: true } },
            "x-amazon-apigateway-request-validator": "ALL",
          },
        ),
      });
      const response = await api.send("GET", "/a?filename=");
      expect(response.status).to.equal(400);
      expect(messageOf(response)).to.equal(
        "Missing required request parameters: [filename, X-Kind]",
      );
      expect(api.invocations).to.have.length(0);
      const headers = { "x-kind": "image" };
      expect((await api.send("GET", "/a?filename=b", { headers })).status).to.equal(200);
    });

    it("are not required without a validator, or with one for bodies alone", async () => {
      const bodyOnly = { ...operation, "x-amazon-apigateway-request-validator": "BODY_ONLY" };
      for (const get of [operation, bodyOnly]) {
        const api = createTestApi({ swagger: swaggerOf({ "/a": { get } }) });
        expect((await api.send("GET", "/a")).status).to.equal(200);
      }
    });
  });
});
