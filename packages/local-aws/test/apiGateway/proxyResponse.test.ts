import { expect } from "chai";
import { readProxyResponse } from "../../apiGateway/proxyResponse";
import type { HttpResponse } from "../../http";
import { createTestApi, proxyOperation, swaggerOf } from "./fixtures";

function read(returned: unknown, accept?: string, binary = ["*/*"]): HttpResponse | undefined {
  return readProxyResponse(JSON.stringify(returned), accept, binary);
}

describe("Lambda proxy response", () => {
  it("becomes the answer, with JSON as the default content type", () => {
    expect(read({ statusCode: 201, headers: { "X-A": "b" }, body: "grün" })).to.deep.equal({
      status: 201,
      headers: { "content-type": "application/json", "x-a": "b" },
      body: Buffer.from("grün"),
    });
  });

  it("may leave out every field, give the status as text, and null for the rest", () => {
    expect(read({})).to.include({ status: 200 });
    expect(read({ statusCode: "204", headers: null, body: null })).to.deep.equal({
      status: 204,
      headers: { "content-type": "application/json" },
      body: Buffer.alloc(0),
    });
  });

  it("joins many values of a header, which win over a single one in any capitalisation", () => {
    const headers = { "Content-Type": "text/html", vary: "a", "max-age": 5, flag: true };
    const response = read({ headers, multiValueHeaders: { VARY: ["b", "c"] } });
    expect(response?.headers).to.deep.equal({
      "content-type": "text/html",
      vary: "b, c",
      "max-age": "5",
      flag: "true",
    });
  });

  it("renames the headers that the gateway keeps for itself", () => {
    const headers = { "Content-Length": "5", Date: "now", "Transfer-Encoding": "chunked" };
    expect(read({ headers })?.headers).to.deep.equal({
      "content-type": "application/json",
      "x-amzn-remapped-content-length": "5",
      "x-amzn-remapped-date": "now",
    });
  });

  it("decodes base64 only when the first Accept type is binary", () => {
    const image = { body: Buffer.from([0xff, 0xd8]).toString("base64"), isBase64Encoded: true };
    const decoded = (accept?: string, binary?: string[]) =>
      read(image, accept, binary)?.body.equals(Buffer.from([0xff, 0xd8]));
    expect(decoded()).to.equal(true);
    expect(decoded("image/png, text/html", ["image/*"])).to.equal(true);
    expect(decoded("text/html, image/png", ["image/*"])).to.equal(false);
    expect(decoded(undefined, ["image/*"])).to.equal(false);
    expect(read({ ...image, isBase64Encoded: false })?.body.toString()).to.equal(image.body);
  });

  for (const [what, returned] of [
    ["null", null],
    ["a string", "ok"],
    ["a list", []],
    ["an unknown field", { statusCode: 200, cookies: [] }],
    ["a body that is an object", { body: { ok: true } }],
    ["a status that is none", { statusCode: "test" }],
    ["a header that is an object", { headers: { a: {} } }],
    ["a list of headers", { headers: ["a"] }],
    ["many values that are no list", { multiValueHeaders: { a: "b" } }],
  ] as const) {
    it(`is malformed as ${what}`, () => {
      expect(read(returned)).to.equal(undefined);
    });
  }

  it("is malformed when it is not JSON", () => {
    expect(readProxyResponse("", undefined, ["*/*"])).to.equal(undefined);
  });

  it("has no body for HEAD", async () => {
    const swagger = swaggerOf({ "/a": { head: proxyOperation() } });
    const response = await createTestApi({ swagger }).send("HEAD", "/a");
    expect(response.status).to.equal(200);
    expect(response.body).to.have.length(0);
  });
});
