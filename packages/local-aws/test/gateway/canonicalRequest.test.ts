import { hash } from "node:crypto";
import { expect } from "chai";
import { canonicalRequest, COMMON_RULES } from "../../gateway/signature/canonicalRequest";
import { s3SigningRules } from "../../s3/signing";
import { splitUrl } from "../../url";

const EMPTY = hash("sha256", "");

/** The bytes of a text, a character for each, as Node.js gives those of URLs and headers. */
const raw = (text: string): string => Buffer.from(text).toString("latin1");

interface Sent {
  method?: string;
  url?: string;
  headers?: Record<string, string>;
  body?: string;
  presigned?: boolean;
}

/** The parts of the canonical request: path, query, headers. */
function canonical(sent: Sent, rules = COMMON_RULES): string[] {
  const { method = "GET", url = "/", headers = {}, body = "", presigned = false } = sent;
  const request = { method, url, headers: { ...headers }, body: Buffer.from(body) };
  const signedHeaders = Object.keys(headers);
  const claim = {
    accessKeyId: "k",
    date: "20150830",
    region: "us-east-1",
    service: "service",
    signature: "",
    timestamp: "20150830T123600Z",
    sessionToken: undefined,
    expires: 60,
    presigned,
    signedHeaders,
  };
  return canonicalRequest(rules, request, splitUrl(url), claim).toString().split("\n");
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
describe("the canonical request", () => {
  it("has method, path, query, headers, their names and the body's hash, in lines", () => {
    const sent = {
      method: "POST",
      url: "/a?Param2=value2&Param1=value1",
      headers: { "content-type": "text/plain", host: "example.com" },
      body: "Param1=value1",
    };

    expect(canonical(sent)).to.deep.equal([
      "POST",
      "/a",
      "Param1=value1&Param2=value2",
      "content-type:text/plain",
      "host:example.com",
      "",
      "content-type;host",
      hash("sha256", "Param1=value1"),
    ]);
  });

  const PATHS: [what: string, sent: string, common: string, s3: string][] = [
    ["the root", "/", "/", "/"],
    ["unreserved characters", "/-._~0aA", "/-._~0aA", "/-._~0aA"],
    ["slashes in a row", "//a//b//", "/a/b/", "//a//b//"],
    ["a dot", "/./a/./b", "/a/b", "/./a/./b"],
    ["two dots", "/a/../b/../..", "/", "/a/../b/../.."],
    ["a folder", "/a/b/", "/a/b/", "/a/b/"],
    ["a space", "/a%20b", "/a%2520b", "/a%20b"],
    ["a plus", "/a+b", "/a%2Bb", "/a%2Bb"],
    ["lower-case digits", "/%c3%a9", "/%25c3%25a9", "/%C3%A9"],
    ["needless encoding", "/%61%7E", "/%2561%257E", "/a~"],
    ["an encoded slash", "/b/%2Fk", "/b/%252Fk", "/b//k"],
    ["an encoded percent sign", "/%2525", "/%252525", "/%2525"],
    ["bytes that are not encoded", raw("/ሴ"), "/%E1%88%B4", "/%E1%88%B4"],
    [
      "reserved characters",
      "/a!'()*:@,;=$&",
      "/a%21%27%28%29%2A%3A%40%2C%3B%3D%24%26",
      "/a%21%27%28%29%2A%3A%40%2C%3B%3D%24%26",
    ],
  ];
  for (const [what, url, common, s3] of PATHS) {
    it(`has the path with ${what} normalized and encoded twice, for S3 once`, () => {
      const headers = { "x-amz-content-sha256": EMPTY };
      expect(canonical({ url })[1]).to.equal(common);
      expect(canonical({ url, headers }, s3SigningRules)[1]).to.equal(s3);
    });
  }

  const QUERIES: [what: string, sent: string, expected: string][] = [
    ["nothing", "", ""],
    ["no value", "a", "a="],
    ["an empty value", "a=", "a="],
    ["an equals sign in the value", "a=b=c", "a=b%3Dc"],
    ["names out of order", "b=2&a=1&B=3", "B=3&a=1&b=2"],
    ["one name with several values", "a=2&a=1&a=10", "a=1&a=10&a=2"],
    ["unreserved characters", "-._~0aA=-._~0aA", "-._~0aA=-._~0aA"],
    ["encoded and reserved characters", "a=%c3%A9/*%20'", "a=%C3%A9%2F%2A%20%27"],
    ["encoded names in the order of their bytes", "%C3%A9=1&z=2", "%C3%A9=1&z=2"],
    ["bytes that are not encoded", raw("ሴ=bar"), "%E1%88%B4=bar"],
    ["a signature that is not its own", "X-Amz-Signature=a", "X-Amz-Signature=a"],
  ];
  for (const [what, query, expected] of QUERIES) {
    it(`has a query with ${what} sorted and encoded`, () => {
      expect(canonical({ url: `/?${query}` })[2]).to.equal(expected);
    });
  }

  it("leaves the signature out of a presigned query", () => {
    const url = "/?X-Amz-Signature=a&X-Amz-Date=d";
    expect(canonical({ url, presigned: true })[2]).to.equal("X-Amz-Date=d");
  });

  const HEADERS: [what: string, value: string, expected: string][] = [
    ["spaces around", "  a  ", "a"],
    ["spaces inside", "a   b  c", "a b c"],
    ["quotes", '"a   b"', '"a b"'],
    ["a list", "b,a,a", "b,a,a"],
    ["no value", "", ""],
    ["bytes of UTF-8", raw("日.txt"), "日.txt"],
  ];
  for (const [what, value, expected] of HEADERS) {
    it(`has a header with ${what} trimmed, in its order`, () => {
      expect(canonical({ headers: { a: value } })[3]).to.equal(`a:${expected}`);
    });
  }

  it("knows no header that every object has", () => {
    const request = { method: "GET", url: "/", headers: {}, body: Buffer.alloc(0) };
    for (const name of ["constructor", "__proto__", "toString"]) {
      const claim = { presigned: false, signedHeaders: [name] } as never;
      const lines = canonicalRequest(COMMON_RULES, request, splitUrl("/"), claim);
      expect(lines.toString().split("\n")[3]).to.equal(`${name}:`);
    }
  });
});
