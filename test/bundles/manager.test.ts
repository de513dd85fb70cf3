import { readFile } from "node:fs/promises";
import * as path from "node:path";
import type { APIGatewayProxyResult } from "aws-lambda";
import { expect } from "chai";
import { newUpload, SIGNED_PREFIX } from "../../events/identity";
import { openTicket, ticketSecrets } from "../../runtime/ticket";
import { PROGRAM_DIR } from "../../start/programDir";
import { filesOf, only, type Recording, recordProgram } from "../../testing/recordingMocks";
import { variablesOf } from "../program/names";
import { type Call, FAILED_ROW, type FakeAws, startFakeAws } from "./fakeAws";
import { type Output, runPackage } from "./plainNode";

const ID = FAILED_ROW.event_id.S;

/** Of an upload that the manager has given out. */
const KEY = newUpload(SIGNED_PREFIX, "film.mp4").object_key;

const BODIES: Record<string, object> = {
  links: { expires_in: 3600, max_files: 5 },
  complete: { parts: [{ PartNumber: 1, ETag: "abcd" }] },
  uploads: { filename: "hello.txt", content_type: "text/plain", size: 5 },
};

/** The requests, as `method path?query`, in order. */
const REQUESTS = [
  "GET /nothing",
  "PUT /stats",
  "GET /events?limit=0",
  "GET /events?status=failed&limit=1",
  `GET /events/${ID}`,
  `POST /events/${ID}/retry`,
  "POST /events/retry?status=failed",
  "GET /stats",
  "GET /stats/hours?hours=3",
  "POST /uploads",
  `GET /s3/multipart/upload-id/2?key=${encodeURIComponent(KEY)}`,
  `POST /s3/multipart/upload-id/complete?key=${encodeURIComponent(KEY)}`,
  "POST /links",
  "GET /openapi.json",
  `DELETE /events/${ID}`,
] as const;

type Request = (typeof REQUESTS)[number];

interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  body: Record<string, unknown>;
}

/** A request in API Gateway's proxy format. */
function proxyEvent(request: Request): object {
  const [method = "", target = ""] = request.split(" ");
  const url = new URL(target, "https://api.example");
  const query = [...url.searchParams].map(([name, value]) => [name, [value]] as const);
  return {
    httpMethod: method,
    headers: { Host: "api.example", "X-Forwarded-Proto": "https" },
    pathParameters: { proxy: url.pathname.slice(1) },
    multiValueQueryStringParameters: query.length > 0 ? Object.fromEntries(query) : null,
    body: JSON.stringify(BODIES[url.pathname.split("/").at(-1) ?? ""] ?? null),
    isBase64Encoded: false,
    requestContext: { requestId: "a-request", path: `/stage${url.pathname}` },
  };
}

describe("The manager's bundle", () => {
  let recording: Recording;
  let aws: FakeAws;
  let output: Output;

  before(async () => {
    recording = await recordProgram();
    aws = await startFakeAws();
    output = await runPackage(recording, "manager", aws.endpoint, REQUESTS.map(proxyEvent));
  });

  after(() => {
    aws.stop();
  });

  function answerTo(request: Request): Answer {
    const result = output.results[REQUESTS.indexOf(request)];
    expect(result?.error).to.equal(undefined);
    const { statusCode, headers, body } = result?.answer as APIGatewayProxyResult;
    return {
      statusCode,
      headers: headers as Record<string, string>,
      body: JSON.parse(body || "{}") as Record<string, unknown>,
    };
  }

  function errorOf(request: Request): string {
    const { statusCode, body } = answerTo(request);
    return `${statusCode} ${(body.error as { code: string }).code}`;
  }

  function callsOf(action: string): Call[] {
    return aws.callsOf("manager").filter((call) => call.action === action);
  }

  it("loads without node_modules, and exports an async handler", () => {
    expect(output.exports).to.deep.equal(["handler"]);
    expect(output.results.map((result) => result.async)).to.deep.equal(REQUESTS.map(() => true));
  });

  it("fails without its environment variables, and names the missing one", () => {
    const messages = Object.keys(variablesOf(recording, "manager")).map((variable) => [
      variable,
      `The environment variable ${variable} is not set.`,
    ]);
    expect(output.missing).to.deep.equal(Object.fromEntries(messages));
  });

  it("refuses unknown routes and invalid parameters", () => {
    expect(errorOf("GET /nothing")).to.equal("404 not_found");
    expect(errorOf("PUT /stats")).to.equal("405 method_not_allowed");
    expect(answerTo("PUT /stats").headers).to.include({ Allow: "GET, HEAD" });
    expect(errorOf("GET /events?limit=0")).to.equal("400 invalid_limit");
  });

  it("lists events from the time-index of the event table", () => {
    const { statusCode, body } = answerTo("GET /events?status=failed&limit=1");
    expect(statusCode).to.equal(200);
    expect(body.next_cursor).to.equal(null);
    expect(body.events).to.have.length(1);
    expect((body.events as object[])[0]).to.include({ event_id: ID, event_status: "failed" });
    const [query] = callsOf("Query");
    expect(JSON.parse(query?.body ?? "")).to.include({
      TableName: "events-1a2b3c4",
      IndexName: "time-index",
    });
  });

  it("shows an event, with a signed link to its file under its file name", () => {
    const { statusCode, body } = answerTo(`GET /events/${ID}`);
    expect(statusCode).to.equal(200);
    const url = new URL((body.download as { url: string }).url);
    expect(decodeURIComponent(url.pathname)).to.match(/\/photos\/cät\.jpg$/);
    expect(url.searchParams.get("X-Amz-Signature")).to.match(/^[0-9a-f]{64}$/);
    const disposition = url.searchParams.get("response-content-disposition");
    expect(disposition).to.match(/^attachment; .*filename\*=utf-8''c%C3%A4t\.jpg/i);
  });

  it("retries one event, and all, each after marking its period", () => {
    expect(answerTo(`POST /events/${ID}/retry`).body).to.deep.equal({
      event_id: ID,
      event_status: "uploaded",
    });
    expect(answerTo("POST /events/retry?status=failed").body).to.deep.equal({
      dry_run: false,
      matched: 1,
      moved: 1,
      not_moved: {},
      next_cursor: null,
    });
    const tables = callsOf("UpdateItem").map(
      ({ body }) => (JSON.parse(body) as { TableName: string }).TableName,
    );
    const mark = "events-counts-1a2b3c4";
    const retry = [mark, "events-1a2b3c4"];
    // A retry of many is within a budget.
    const budget = [mark];
    // A deletion first marks the event against retries.
    const deletion = ["events-1a2b3c4", mark];
    expect(tables).to.deep.equal([...retry, ...budget, ...retry, ...deletion]);
  });

  it("counts the events of each status", () => {
    const { statusCode, body } = answerTo("GET /stats");
    expect(statusCode).to.equal(200);
    expect(body.counts).to.have.all.keys("created", "uploaded", "processed", "notified", "failed");
    expect(body.oldest_unfinished).to.equal(null);
  });

  it("counts the events of the last hours", () => {
    const { statusCode, body } = answerTo("GET /stats/hours?hours=3");
    expect(statusCode).to.equal(200);
    expect(body.hours).to.have.length(3);
  });

  it("returns a signed request without a call to AWS", () => {
    const { statusCode, body } = answerTo("POST /uploads");
    expect(statusCode).to.equal(201);
    expect(body).to.include({ bucket: "uploads-1a2b3c4", method: "PUT" });
    expect(body.headers).to.deep.equal({
      "Content-Length": "5",
      "Content-Type": "text/plain",
      "If-None-Match": "*",
    });
    expect(body.url).to.match(/[?&]X-Amz-Signature=[0-9a-f]{64}(&|$)/);
    expect(callsOf("PUT")).to.deep.equal([]);
  });

  it("signs a part without a call to AWS, and completes an upload once", () => {
    const query = `key=${encodeURIComponent(KEY)}` as const;
    const signed = answerTo(`GET /s3/multipart/upload-id/2?${query}`);
    expect(signed.statusCode).to.equal(200);
    expect(signed.body.url).to.include("partNumber=2").and.include("uploadId=upload-id");

    const completed = answerTo(`POST /s3/multipart/upload-id/complete?${query}`);

    expect(completed.body).to.include({ bucket: "uploads-1a2b3c4", key: KEY });
    const [call, ...others] = callsOf("POST");
    expect(others).to.deep.equal([]);
    expect(call?.body).to.include("<ETag>&quot;abcd&quot;</ETag><PartNumber>1</PartNumber>");
  });

  it("makes an upload link, with a signed ticket", () => {
    const { statusCode, body } = answerTo("POST /links");
    expect(statusCode).to.equal(201);
    const { LINK_URL: base = "", LINK_SECRETS: secrets = "" } = variablesOf(recording, "manager");
    const { link_id: linkId, url } = body as { link_id: string; url: string };
    expect(url.slice(0, base.length + 1)).to.equal(`${base}/`);
    expect(openTicket(ticketSecrets(secrets), url.slice(base.length + 1))).to.equal(linkId);
    const [put] = callsOf("PutItem").filter((call) => call.body.includes("links-1a2b3c4"));
    expect(JSON.parse(put?.body ?? "")).to.have.nested.property("Item.link_id.S", linkId);
  });

  it("serves the description of both APIs from the file beside it, with their URLs", async () => {
    const { "openapi.json": text = "" } = await filesOf(only(recording, "Function", "manager"));
    const file = await readFile(path.join(PROGRAM_DIR, "openapi.json"), "utf8");
    expect(JSON.parse(text)).to.deep.equal(JSON.parse(file));

    const { statusCode, body } = answerTo("GET /openapi.json");
    expect(statusCode).to.equal(200);
    expect(body.servers).to.deep.equal([{ url: "https://api.example/stage" }]);
    const { UPLOAD_URL: uploadUrl = "" } = variablesOf(recording, "manager");
    const { "/upload": upload } = body.paths as Record<string, { servers: { url: string }[] }>;
    expect(`${upload?.servers[0]?.url ?? ""}/upload`).to.equal(uploadUrl);
    expect(upload).to.have.nested.property("post.x-max-bytes", 4_194_304);
  });

  it("deletes the object, and then the row", () => {
    expect(answerTo(`DELETE /events/${ID}`).statusCode).to.equal(204);
    const actions = aws.callsOf("manager").map(({ action }) => action);
    expect(actions.filter((action) => /^delete/i.test(action))).to.deep.equal([
      "DELETE",
      "DeleteItem",
    ]);
    expect(callsOf("DELETE")[0]?.url).to.match(/^\/a-bucket\/photos\/c%C3%A4t\.jpg/);
  });
});
