import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { expect } from "chai";
import { proxyOperation, swaggerOf } from "../apiGateway/fixtures";
import { BUCKET, type BucketScene, openBucket } from "../s3/bucketScene";
import type { TestCloud } from "../testCloud";

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

const EVIL = "https://evil.example";
const FRIEND = "https://friend.example";

/** Answers OPTIONS for one origin; all else with the method. */
const API_HANDLER = `
  const headers = { "Access-Control-Allow-Origin": "${FRIEND}" };
  return event.httpMethod === "OPTIONS"
    ? { statusCode: 204, headers }
    : { statusCode: 200, body: event.httpMethod };`;

/** Makes a REST API in a cloud, and returns its URL. */
async function makeApi(test: TestCloud): Promise<string> {
  const { arn = "" } = await test.makeFunction("api", API_HANDLER);
  const any = { "x-amazon-apigateway-any-method": proxyOperation(arn) };
  const body = swaggerOf({ "/files": any });
  const api = await test.make("apigateway/restApi:RestApi", "api", { body });
  await test.make("lambda/permission:Permission", "api", {
    action: "lambda:InvokeFunction",
    function: "api",
    principal: "apigateway.amazonaws.com",
    sourceArn: `${api.executionArn ?? ""}/*/*`,
  });
  const { invokeUrl = "" } = await test.make("apigateway/stage:Stage", "api", {
    restApi: api.id,
    stageName: "stage",
  });
  return invokeUrl;
}

describe("web pages in the browser of this machine", () => {
  let scene: BucketScene;
  let apiUrl: string;

  before(async () => {
    scene = await openBucket([]);
    apiUrl = `${await makeApi(scene.test)}/files`;
    scene.test.cloud.start(["api"], { outputs: { key: "SECRET" } });
  });
  after(() => scene.close());

  /** Unlike fetch, node:http sends any Host and Origin header. */
  function ask(
    url: string,
    headers: Record<string, string> = {},
    method = "GET",
    body = "",
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const length = { "content-length": String(Buffer.byteLength(body)) };
      httpRequest(url, { method, headers: { ...length, ...headers } }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      })
        .on("error", reject)
        .end(body);
    });
  }

  const pathsOf = (apiPath: string) => [
    "/",
    "/_inbox",
    "/_inbox.json",
    "/_stack",
    new URL(apiPath).pathname,
    `/${BUCKET}/key`,
    "/nothing",
  ];

  it("reach no route by a name of their own (DNS rebinding)", async () => {
    const { endpoint } = scene.test.cloud;
    const { port } = new URL(endpoint);
    for (const path of pathsOf(apiUrl)) {
      for (const method of ["GET", "POST", "OPTIONS"]) {
        const host = `evil.example:${port}`;
        const { status, text } = await ask(`${endpoint}${path}`, { host }, method);

        expect(status, `${method} ${path}`).to.equal(403);
        expect(text, path).to.contain("evil.example").and.not.contain("SECRET");
      }
    }
  });

  it("get each route by this machine's names", async () => {
    const { endpoint } = scene.test.cloud;
    const { port } = new URL(endpoint);
    for (const host of [`127.0.0.1:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
      expect((await ask(`${endpoint}/_stack`, { host })).text, host).to.contain("SECRET");
      expect((await ask(apiUrl, { host })).text, host).to.equal("GET");
    }
  });

  it("send nothing to an API that does not allow their origin, not even by a form", async () => {
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const { invocations } = scene.test;
    const strangers: Record<string, string>[] = [
      { origin: EVIL },
      { origin: "null" },
      { origin: "http://localhost:1" },
      { "sec-fetch-site": "cross-site" },
    ];
    for (const headers of strangers) {
      for (const method of ["POST", "PUT", "DELETE"]) {
        const { status, text } = await ask(apiUrl, { ...form, ...headers }, method, "a=1");

        expect(status, JSON.stringify(headers)).to.equal(403);
        expect(text).to.contain("another site");
      }
    }
    const methods = invocations.map(
      ({ payload }) => (payload as { httpMethod: string }).httpMethod,
    );
    expect(methods.filter((method) => !["GET", "OPTIONS"].includes(method))).to.deep.equal([]);
  });

  it("send nothing to the pages of subscriptions", async () => {
    const { endpoint } = scene.test.cloud;
    const { status, text } = await ask(`${endpoint}/_sns/confirm`, { origin: EVIL }, "POST");

    expect([status, text.includes("another site")]).to.deep.equal([403, true]);
  });

  it("send to an API that allows their origin; so do its own pages and programs", async () => {
    const own = new URL(apiUrl).origin;
    const senders: Record<string, string>[] = [
      { origin: FRIEND },
      { origin: own, "sec-fetch-site": "same-origin" },
      { "sec-fetch-site": "none" },
      {},
    ];
    for (const headers of senders) {
      const { status, text } = await ask(apiUrl, headers, "POST");

      expect([status, text], JSON.stringify(headers)).to.deep.equal([200, "POST"]);
    }
  });

  it("upload with a signed policy and signed links, whichever origin they have", async () => {
    const { operator, url } = scene;
    const { fields } = await createPresignedPost(operator, { Bucket: BUCKET, Key: "form.txt" });
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) {
      form.append(name, value);
    }
    form.append("file", new Blob(["by form"]));
    const body = new Response(form);
    const put = new PutObjectCommand({ Bucket: BUCKET, Key: "link.txt" });

    const byForm = await ask(
      url,
      { origin: EVIL, "content-type": body.headers.get("content-type") ?? "" },
      "POST",
      await body.text(),
    );
    const byLink = await ask(await getSignedUrl(operator, put), { origin: EVIL }, "PUT", "by link");

    expect([byForm.status, byLink.status]).to.deep.equal([204, 200]);
    expect(await scene.read("form.txt")).to.equal("by form");
  });

  it("do not run as an uploaded page, which has no origin here", async () => {
    const { operator } = scene;
    const page = { Bucket: BUCKET, Key: "page.html" };
    const Body = "<script>fetch('/_stack')</script>";
    await operator.send(new PutObjectCommand({ ...page, Body, ContentType: "text/html" }));

    const shown = await ask(await getSignedUrl(operator, new GetObjectCommand(page)));
    const refused = await ask(`${scene.url}/page.html`);

    expect(shown.text).to.equal(Body);
    for (const { headers } of [shown, refused]) {
      expect(headers).to.include({
        "content-security-policy": "sandbox",
        "x-content-type-options": "nosniff",
      });
    }
  });

  it("find a policy on each of the endpoint's own pages", async () => {
    const { endpoint } = scene.test.cloud;
    for (const path of ["/", "/_inbox", "/_inbox.json", "/_inbox/none", "/_stack", "/nothing"]) {
      const { headers } = await ask(`${endpoint}${path}`);

      expect(headers["content-security-policy"], path).to.match(/^default-src 'none'/);
      expect(headers["x-content-type-options"], path).to.equal("nosniff");
    }
  });

  it("are told in JSON that headers are too large", async () => {
    const { endpoint } = scene.test.cloud;
    const { status, text, headers } = await ask(endpoint, { cookie: "c".repeat(20_000) });

    expect([status, headers["content-type"]]).to.deep.equal([431, "application/json"]);
    expect(JSON.parse(text)).to.deep.equal({ message: "The headers are larger than 16384 bytes." });
  });
});

describe("the id of a REST API", () => {
  const folder = mkdtempSync(join(tmpdir(), "api-ids-"));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  async function idOf(options: { dataDir?: string }): Promise<string | undefined> {
    const opened = await openBucket([], options);
    try {
      return /_api\/([a-z0-9]{10})\//.exec(await makeApi(opened.test))?.[1];
    } finally {
      await opened.close();
    }
  }

  it("differs from run to run, so that no page can know it", async () => {
    expect(await idOf({})).to.not.equal(await idOf({}));
  });

  it("stays the same with a data folder", async () => {
    const first = await idOf({ dataDir: folder });

    expect(first).to.be.a("string");
    expect(await idOf({ dataDir: folder })).to.equal(first);
  });
});
