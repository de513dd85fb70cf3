import { expect } from "chai";
import { createTestApi, messageOf, onlyEvent, proxyOperation, swaggerOf } from "./fixtures";

async function routeOf(paths: string[], method: string, path: string): Promise<string> {
  const entries = paths.map((entry) => {
    const [verb = "", resource = ""] = entry.split(" ");
    const key = verb === "ANY" ? "x-amazon-apigateway-any-method" : verb.toLowerCase();
    return { resource, key, operation: proxyOperation(`arn:aws:lambda:x:1:function:${verb}`) };
  });
  const swagger: Record<string, Record<string, unknown>> = {};
  for (const { resource, key, operation } of entries) {
    swagger[resource] = { ...swagger[resource], [key]: operation };
  }
  const api = createTestApi({ swagger: swaggerOf(swagger) });
  const response = await api.send(method, path);
  const [invocation] = api.invocations;
  if (!invocation) {
    return String(response.status);
  }
  return `${invocation.functionArn.split(":").at(-1) ?? ""} ${invocation.event.resource}`;
}

describe("REST API routing", () => {
  const files = ["GET /files", "GET /files/{id}", "GET /files/latest", "ANY /{proxy+}"];

  it("prefers an exact path to a parameter, and a parameter to a greedy one", async () => {
    expect(await routeOf(files, "GET", "/files/latest")).to.equal("GET /files/latest");
    expect(await routeOf(files, "GET", "/files/7")).to.equal("GET /files/{id}");
    expect(await routeOf(files, "GET", "/files/7/parts")).to.equal("ANY /{proxy+}");
    const siblings = ["GET /a/{rest+}", "GET /a/{id}"];
    expect(await routeOf(siblings, "GET", "/a/7")).to.equal("GET /a/{id}");
    expect(await routeOf(siblings, "GET", "/a/7/8")).to.equal("GET /a/{rest+}");
  });

  it("prefers a method of its own to ANY, however they are ordered", async () => {
    const paths = ["ANY /a", "GET /a"];
    expect(await routeOf(paths, "GET", "/a")).to.equal("GET /a");
    expect(await routeOf(paths.reverse(), "GET", "/a")).to.equal("GET /a");
    expect(await routeOf(paths, "POST", "/a")).to.equal("ANY /a");
    expect(await routeOf(paths, "TRACE", "/a")).to.equal("404");
  });

  it("leaves a method that a resource lacks to a greedy resource", async () => {
    expect(await routeOf(["POST /test", "OPTIONS /{proxy+}"], "OPTIONS", "/test")).to.equal(
      "OPTIONS /{proxy+}",
    );
  });

  it("ignores a trailing slash, and finds the root with and without one", async () => {
    expect(await routeOf(["GET /files"], "GET", "/files/")).to.equal("GET /files");
    expect(await routeOf(["GET /"], "GET", "/")).to.equal("GET /");
    expect(await routeOf(["GET /"], "GET", "?a=1")).to.equal("GET /");
  });

  it("matches exact parts decoded", async () => {
    expect(await routeOf(["GET /grün"], "GET", "/gr%C3%BCn")).to.equal("GET /grün");
  });

  it("answers an unknown path and an unknown method as the API's gateway response says", async () => {
    const api = createTestApi();
    for (const response of [await api.send("GET", "/nope"), await api.send("PUT", "/upload")]) {
      expect(response.status).to.equal(404);
      expect(messageOf(response)).to.equal("404 Not found");
    }
    expect(api.invocations).to.have.length(0);
  });

  it("passes path parameters undecoded", async () => {
    const swagger = swaggerOf({ "/u/{name}/{rest+}": { get: proxyOperation() } });
    const api = createTestApi({ swagger });
    await api.send("GET", "/u/a%2Bb%2Fc/x/y%20z/");
    expect(onlyEvent(api).pathParameters).to.deep.equal({ name: "a%2Bb%2Fc", rest: "x/y%20z" });
  });

  it("does not match an empty part with a path parameter", async () => {
    expect(await routeOf(["GET /u/{name}/x"], "GET", "/u//x")).to.equal("404");
  });

  it("rejects an integration that it cannot run, naming path and type", () => {
    const integration = { type: "mock" };
    const operation = { "x-amazon-apigateway-integration": integration };
    const swagger = swaggerOf({ "/health": { get: operation } });
    expect(() => createTestApi({ swagger })).to.throw(/GET \/health .*type mock/);
  });

  it("rejects an integration or a path that API Gateway would reject", () => {
    const integration = { type: "aws_proxy", httpMethod: "GET", uri: "arn:aws:s3:::b" };
    const get = { "x-amazon-apigateway-integration": integration };
    expect(() => createTestApi({ swagger: swaggerOf({ "/a": { get } }) })).to.throw(
      /GET \/a does not invoke a Lambda function/,
    );
    const wrongMethod = proxyOperation();
    Object.assign(wrongMethod["x-amazon-apigateway-integration"] as object, { httpMethod: "GET" });
    expect(() => createTestApi({ swagger: swaggerOf({ "/a": { get: wrongMethod } }) })).to.throw(
      /must be POST/,
    );
    const greedy = swaggerOf({ "/{all+}/a": { get: proxyOperation() } });
    expect(() => createTestApi({ swagger: greedy })).to.throw(/greedy path parameter/);
  });

  it("rejects authorizers rather than ignoring them", () => {
    const iam = { ...proxyOperation(), "x-amazon-apigateway-auth": { type: "AWS_IAM" } };
    expect(() => createTestApi({ swagger: swaggerOf({ "/a": { get: iam } }) })).to.throw(
      /GET \/a .*AWS_IAM/,
    );
    const custom = { ...proxyOperation(), security: [{ mine: [] }] };
    const securityDefinitions = { mine: { "x-amazon-apigateway-authorizer": {} } };
    const swagger = swaggerOf({ "/a": { get: custom } }, { securityDefinitions });
    expect(() => createTestApi({ swagger })).to.throw(/GET \/a .*mine/);
  });

  it("rejects a body that is not JSON", () => {
    expect(() => createTestApi({ swagger: "swagger: 2.0" })).to.throw(/not JSON/);
  });
});
