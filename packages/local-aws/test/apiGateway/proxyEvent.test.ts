import { expect } from "chai";
import {
  createTestApi,
  FUNCTION_ARN,
  onlyEvent,
  proxyOperation,
  swaggerOf,
  type TestApi,
} from "./fixtures";

const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0x00, 0x80]);

describe("Lambda proxy event", () => {
  it("has the shape of a REST API's event", async () => {
    const now = () => Date.UTC(2026, 6, 9, 1, 2, 3);
    const swagger = swaggerOf({ "/files/{id}": { get: proxyOperation() } });
    const api = createTestApi({ swagger, now });
    const headers = { host: "localhost:8080", "user-agent": "curl/8", connection: "close" };
    const { headers: answered } = await api.send("GET", "/files/7", { headers });

    const { requestContext, ...event } = onlyEvent(api);
    const trace = event.headers["X-Amzn-Trace-Id"] ?? "";
    expect(trace).to.match(/^Root=1-6a4ef30b-[0-9a-f]{24}$/);
    const sent = {
      Host: "localhost:8080",
      "User-Agent": "curl/8",
      "X-Amzn-Trace-Id": trace,
      "X-Forwarded-For": "127.0.0.1",
      "X-Forwarded-Port": "8080",
      "X-Forwarded-Proto": "http",
    };
    expect(event).to.deep.equal({
      resource: "/files/{id}",
      path: "/files/7",
      httpMethod: "GET",
      headers: sent,
      multiValueHeaders: Object.fromEntries(Object.entries(sent).map(([k, v]) => [k, [v]])),
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      pathParameters: { id: "7" },
      stageVariables: null,
      body: null,
      isBase64Encoded: false,
    });
    expect(JSON.parse(JSON.stringify(requestContext))).to.deep.equal({
      accountId: "123456789012",
      apiId: "abc123",
      deploymentId: (requestContext as { deploymentId?: string }).deploymentId,
      domainName: "localhost:8080",
      domainPrefix: "abc123",
      extendedRequestId: answered["x-amz-apigw-id"],
      httpMethod: "GET",
      identity: {
        accessKey: null,
        accountId: null,
        caller: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: "127.0.0.1",
        user: null,
        userAgent: "curl/8",
        userArn: null,
      },
      path: "/stage/files/7",
      protocol: "HTTP/1.1",
      requestId: answered["x-amzn-requestid"],
      requestTime: "09/Jul/2026:01:02:03 +0000",
      requestTimeEpoch: now(),
      resourceId: requestContext.resourceId,
      resourcePath: "/files/{id}",
      stage: "stage",
    });
    expect(requestContext.requestId).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it("decodes the query once: + and %20 are spaces, and the last of a name is the single value", async () => {
    const api = createTestApi();
    await api.send("GET", "/upload?filename=a%20b%2B1+c.jpg&tag=x&tag=%2541&flag&__proto__=p");
    const event = onlyEvent(api);
    expect(event.path).to.equal("/upload");
    expect(Object.entries(event.queryStringParameters ?? {})).to.have.deep.members([
      ["filename", "a b+1 c.jpg"],
      ["tag", "%41"],
      ["flag", ""],
      ["__proto__", "p"],
    ]);
    expect(event.multiValueQueryStringParameters?.tag).to.deep.equal(["x", "%41"]);
  });

  it("keeps the client's trace id and appends to the addresses it came through", async () => {
    const api = createTestApi();
    const headers = { "x-amzn-trace-id": "Root=1-2-3", "x-forwarded-for": "10.0.0.9" };
    await api.send("GET", "/upload", { headers });
    const sent = onlyEvent(api).headers;
    expect(sent["X-Amzn-Trace-Id"]).to.equal("Root=1-2-3");
    expect(sent["X-Forwarded-For"]).to.equal("10.0.0.9, 127.0.0.1");
    expect(sent).not.to.have.any.keys("x-amzn-trace-id", "x-forwarded-for");
  });

  it("passes the values that a resource policy is checked against", async () => {
    const swagger = swaggerOf({
      "/f/{id}": { "x-amazon-apigateway-any-method": proxyOperation() },
    });
    const api = createTestApi({ swagger });
    await api.send("PUT", "/f/7");
    expect(api.invocations[0]?.functionArn).to.equal(FUNCTION_ARN);
    expect(api.invocations[0]?.sourceArn).to.equal(
      "arn:aws:execute-api:eu-central-1:123456789012:abc123/stage/PUT/f/{id}",
    );
  });

  describe("body", () => {
    async function bodyOf(api: TestApi, contentType?: string) {
      const headers: Record<string, string> = contentType ? { "content-type": contentType } : {};
      await api.send("POST", "/upload", { headers, body: JPEG });
      const { body, isBase64Encoded } = onlyEvent(api);
      return { body, isBase64Encoded };
    }
    const binary = { body: JPEG.toString("base64"), isBase64Encoded: true };
    const text = { body: JPEG.toString("utf8"), isBase64Encoded: false };

    it("is base64 for every type when all types are binary, even without a type", async () => {
      expect(await bodyOf(createTestApi(), "image/jpeg")).to.deep.equal(binary);
      expect(await bodyOf(createTestApi())).to.deep.equal(binary);
    });

    it("is base64 for the binary types alone when there are some, and text for others", async () => {
      const binaryMediaTypes = ["image/*", "application/octet-stream"];
      const of = (type?: string) => bodyOf(createTestApi({ binaryMediaTypes }), type);
      expect(await of("IMAGE/jpeg; q=1")).to.deep.equal(binary);
      expect(await of("application/octet-stream")).to.deep.equal(binary);
      expect(await of("imagery/jpeg")).to.deep.equal(text);
      expect(await of("text/plain")).to.deep.equal(text);
      expect(await of()).to.deep.equal(text);
    });

    it("may be 10,485,760 bytes long and not one more", async () => {
      const api = createTestApi();
      const fits = await api.send("POST", "/upload", { body: Buffer.alloc(10_485_760) });
      expect(fits.status).to.equal(200);
      const tooLong = await api.send("POST", "/upload", { body: Buffer.alloc(10_485_761) });
      expect(tooLong.status).to.equal(413);
      expect(tooLong.body.toString()).to.equal("HTTP content length exceeded 10485760 bytes.");
      expect(tooLong.headers["content-type"]).to.equal("text/plain");
      expect(api.invocations).to.have.length(1);
    });
  });
});
