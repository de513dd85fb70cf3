import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AssertionError, expect } from "chai";
import { describedFetch, expectDescribed, expectDescribedRequest } from "./described";
import { locate } from "./document";

const LOCAL = "http://127.0.0.1:4510/_api/abc123/stage";
const ID = "01a1f874-3e4b-7c3a-9d52-6f0b8e2c4a17";
const JSON_TYPE = { "content-type": "application/json" };
const WITH_KEY = { "x-api-key": "key" };

/** The check's message; empty without a problem. */
function complaint(check: () => void): string {
  try {
    check();
    return "";
  } catch (error) {
    expect(error).to.be.instanceOf(AssertionError);
    return (error as Error).message;
  }
}

function answer(
  method: string,
  url: string,
  status: number,
  body: unknown,
  headers: Record<string, string> = JSON_TYPE,
): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return complaint(() => {
    expectDescribed(method, url, { status, headers, body: text });
  });
}

function request(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = WITH_KEY,
): string {
  return complaint(() => {
    expectDescribedRequest(method, LOCAL + path, { headers, body });
  });
}

function error(code: string, more: object = {}) {
  return { error: { code, message: "No.", ...more } };
}

/** The document's own example of an answer. */
function example(path: string, method: string, status: number, name: string): object {
  const operation = `#/paths/${path.replaceAll("/", "~1")}/${method}`;
  const content = `responses/${status}/content/application~1json`;
  const { value } = locate(`${operation}/${content}/examples/${name}`);
  return (value as { value: object }).value;
}

describe("an answer", () => {
  const page = example("/events", "get", 200, "page") as { events: object[] };

  it("that is described passes, at every URL of the API", () => {
    const aws = "https://a1b2c3.execute-api.eu-central-1.amazonaws.com/stage";
    for (const base of [LOCAL, aws, "http://127.0.0.1:8080"]) {
      expect(answer("GET", `${base}/events?limit=20`, 200, page)).to.equal("");
      expect(answer("GET", `${base}/events/${ID}`, 404, error("event_not_found"))).to.equal("");
      const signed = example("/uploads", "post", 201, "signed");
      const headers = { ...JSON_TYPE, location: "https://example.com/events/1" };
      expect(answer("POST", `${base}/uploads`, 201, signed, headers)).to.equal("");
      const stored = example("/upload", "post", 201, "stored");
      expect(answer("POST", `${base}/upload?filename=a`, 201, stored, headers)).to.equal("");
    }
    expect(answer("DELETE", `${LOCAL}/events/${ID}`, 204, "", {})).to.equal("");
  });

  const wrong: [what: string, complains: RegExp, method: string, status: number, body: unknown][] =
    [
      ["a status that is not described", /status.*200, 400/, "GET", 418, error("teapot")],
      ["a missing field", /required.*next_cursor/, "GET", 200, { events: [] }],
      ["a field too many", /unevaluated.*"more"/, "GET", 200, { ...page, more: 1 }],
      [
        "a wrong format, far inside",
        /\/events\/0\/event_id must match format "uuid"/,
        "GET",
        200,
        { ...page, events: [{ ...page.events[0], event_id: "1" }] },
      ],
      ["an error code of another answer", /code must be equal/, "GET", 400, error("not_failed")],
      ["a failure without the request's id", /request_id/, "GET", 502, error("storage_failed")],
      ["a body that is no JSON", /no JSON/, "GET", 200, "<html>"],
      ["a method that should not be served", /405/, "PUT", 200, page],
    ];
  for (const [what, complains, method, status, body] of wrong) {
    it(`with ${what} is reported`, () => {
      expect(answer(method, `${LOCAL}/events`, status, body)).to.match(complains);
    });
  }

  it("of another media type is reported", () => {
    const headers = { "content-type": "text/plain" };
    expect(answer("GET", `${LOCAL}/events`, 200, page, headers)).to.match(/"text\/plain" is not/);
  });

  it("with an unexpected body is reported", () => {
    expect(answer("DELETE", `${LOCAL}/events/${ID}`, 204, "gone")).to.match(/should be none/);
  });

  it("without a Retry-After in seconds is reported", () => {
    const body = error("storage_unavailable", { request_id: "1" });
    const url = `${LOCAL}/events`;
    expect(answer("GET", url, 503, body)).to.match(/Retry-After: missing/);
    const soon = { ...JSON_TYPE, "retry-after": "soon" };
    expect(answer("GET", url, 503, body, soon)).to.match(/Retry-After: .* must be integer/);
    expect(answer("GET", url, 503, body, { ...JSON_TYPE, "retry-after": "1" })).to.equal("");
  });

  it("to another method is a 405 that allows exactly the described methods", () => {
    const url = `${LOCAL}/events/${ID}`;
    const allow = (methods: string) =>
      answer("PUT", url, 405, error("method_not_allowed"), { ...JSON_TYPE, allow: methods });
    expect(allow("DELETE, GET, HEAD")).to.equal("");
    expect(allow("DELETE, GET")).to.match(/Allow/);
    expect(allow("GET")).to.match(/Allow/);
    expect(answer("PUT", url, 405, error("method_not_allowed"))).to.match(/Allow: missing/);
    expect(answer("PUT", url, 403, error("forbidden"))).to.equal("");
  });

  it("to another path is a 404, unless the key is missing", () => {
    const url = `${LOCAL}/event`;
    expect(answer("GET", url, 404, error("not_found"))).to.equal("");
    expect(answer("GET", url, 404, error("event_not_found"))).to.match(/should be not_found/);
    expect(answer("GET", url, 403, error("forbidden"))).to.equal("");
    expect(answer("GET", url, 200, {})).to.match(/404 is for that/);
  });

  it("prefers the path without parameters to the one with them", () => {
    const done = { dry_run: true, matched: 0, moved: 0, not_moved: {}, next_cursor: null };
    expect(answer("POST", `${LOCAL}/events/retry?status=failed`, 200, done)).to.equal("");
    expect(answer("GET", `${LOCAL}/events/retry`, 404, error("event_not_found"))).to.match(/405/);
  });
});

describe("a request", () => {
  it("that is described passes", () => {
    const times = "from=2026-11-20&to=2026-11-20T20:00%2B01:00";
    expect(request("GET", `/events?status=failed&order=asc&limit=500&${times}`)).to.equal("");
    expect(request("POST", "/events/retry?status=failed&dry_run=true")).to.equal("");
    expect(request("POST", "/uploads", JSON.stringify({ size: 1 }))).to.equal("");
    expect(request("POST", "/upload", Buffer.from([1]), {})).to.equal("");
  });

  const wrong: [what: string, complains: RegExp, method: string, path: string, body?: string][] = [
    ["a parameter out of bounds", /query limit: .*<= 500/, "GET", "/events?limit=501"],
    ["a parameter of another type", /query limit: .*integer/, "GET", "/events?limit=ten"],
    ["a parameter that is not described", /query colour/, "GET", "/events?colour=red"],
    ["a parameter twice", /given 2 times/, "GET", "/events?limit=1&limit=2"],
    ["no parameter where one is needed", /status: given 0 times/, "POST", "/events/retry"],
    ["a path that is no id", /path event_id: .*uuid/, "GET", "/events/1"],
    ["a path that is not described", /not described/, "GET", "/event"],
    ["a field that is not described", /unevaluated/, "POST", "/uploads", '{"name":"a"}'],
    ["a body where there should be none", /should be none/, "GET", "/stats", "{}"],
    ["no body where one is needed", /body: missing/, "POST", "/upload"],
  ];
  for (const [what, complains, method, path, body] of wrong) {
    it(`with ${what} is reported`, () => {
      expect(request(method, path, body)).to.match(complains);
    });
  }

  it("with a bad header, or without a required key, is reported", () => {
    const headers = { ...WITH_KEY, "idempotency-key": "k".repeat(256) };
    expect(request("POST", "/uploads", "{}", headers)).to.match(/header Idempotency-Key/);
    expect(request("GET", "/stats", undefined, {})).to.match(/x-api-key: missing/);
  });
});

describe("describedFetch", () => {
  let server: Server;
  let base: string;
  let body = "";

  before(async () => {
    server = createServer((_, response) => response.writeHead(200, JSON_TYPE).end(body));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/_api/abc123/stage`;
  });

  after(() => server.close());

  const stats = example("/stats", "get", 200, "idle");

  it("returns status, headers and JSON of a described answer", async () => {
    body = JSON.stringify(stats);
    const answered = await describedFetch(`${base}/stats`, { headers: WITH_KEY });
    expect(answered).to.deep.include({ status: 200, body: stats });
    expect(answered.headers.get("content-type")).to.equal("application/json");
  });

  it("fails on an answer, and on a request, that is not described", async () => {
    const fetched = async (path: string) =>
      describedFetch(base + path, { headers: WITH_KEY }).then(
        () => "",
        (thrown: unknown) => String(thrown),
      );
    body = JSON.stringify(stats);
    expect(await fetched("/stats?a=b")).to.match(/query a: not described/);
    body = JSON.stringify({ ...stats, total: -1 });
    expect(await fetched("/stats")).to.match(/\/total must be >= 0/);
  });
});
