import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { expect } from "chai";
import {
  BUCKET,
  type BucketScene,
  formData,
  OBJECTS,
  openBucket,
  refusal,
  signForm,
} from "./bucketScene";

const ORIGIN = "https://app.example.com";
const RULES = [
  {
    id: "one site",
    allowedOrigins: ["https://*.example.com"],
    allowedMethods: ["GET", "POST"],
    allowedHeaders: ["Content-*", "x-amz-date"],
    exposeHeaders: ["ETag", "Location"],
    maxAgeSeconds: 600,
  },
  { allowedOrigins: ["*"], allowedMethods: ["HEAD"] },
];
const VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

describe("a bucket's CORS configuration", () => {
  let scene: BucketScene;
  afterEach(() => scene.close());

  async function setUp(corsRules?: typeof RULES): Promise<void> {
    scene = await openBucket([
      ["s3:PutObject", OBJECTS],
      ["s3:GetObject", OBJECTS],
    ]);
    if (!corsRules) {
      return;
    }
    await scene.test.make("s3/bucketCorsConfiguration:BucketCorsConfiguration", "cors", {
      bucket: BUCKET,
      corsRules,
    });
  }

  function ask(headers: Record<string, string>, path = ""): Promise<Response> {
    return fetch(`${scene.url}${path}`, { method: "OPTIONS", headers });
  }

  it("answers the preflight of an allowed site", async () => {
    await setUp(RULES);

    const response = await ask({
      origin: ORIGIN,
      "access-control-request-method": "POST",
      "access-control-request-headers": "Content-Type, X-Amz-Date",
    });

    expect(response.status).to.equal(200);
    expect(Object.fromEntries(response.headers)).to.include({
      "access-control-allow-origin": ORIGIN,
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": "content-type, x-amz-date",
      "access-control-expose-headers": "ETag, Location",
      "access-control-max-age": "600",
      "access-control-allow-credentials": "true",
      vary: VARY,
    });
  });

  it("answers any site where all are allowed, also for an object", async () => {
    await setUp(RULES);
    const any = { origin: "http://elsewhere", "access-control-request-method": "HEAD" };

    const response = await ask(any, "/a%20key");

    expect(response.status).to.equal(200);
    expect(response.headers.get("access-control-allow-origin")).to.equal("*");
    expect(response.headers.get("access-control-allow-credentials")).to.equal(null);
  });

  const asked = (origin: string, method: string, headers = "") => ({
    origin,
    "access-control-request-method": method,
    ...(headers && { "access-control-request-headers": headers }),
  });
  const refusals: [what: string, headers: Record<string, string>, status: number][] = [
    ["another site", asked("https://example.org", "GET"), 403],
    ["a site that only looks alike", asked("https://.example.co", "GET"), 403],
    ["another method", asked(ORIGIN, "DELETE"), 403],
    ["another header", asked(ORIGIN, "POST", "content-type, x-amz-acl"), 403],
    ["no site", { "access-control-request-method": "GET" }, 400],
    ["no method", { origin: ORIGIN }, 400],
    ["a method that is none", asked(ORIGIN, "TRACE"), 400],
  ];
  for (const [what, headers, status] of refusals) {
    it(`refuses ${what}`, async () => {
      await setUp(RULES);
      const answer = await refusal(await ask(headers));
      expect(answer).to.include({
        status: `${status}`,
        Code: status === 403 ? "AccessForbidden" : "BadRequest",
      });
      if (status === 403) {
        expect(answer.Message).to.match(/^CORSResponse: This CORS request is not/);
      }
    });
  }

  it("refuses every site where it is missing", async () => {
    await setUp();

    expect(await refusal(await ask(asked(ORIGIN, "GET"), "/key"))).to.include({
      status: "403",
      Code: "AccessForbidden",
      Message: "CORSResponse: CORS is not enabled for this bucket.",
      Method: "GET",
      ResourceType: "OBJECT",
    });
    const plain = await fetch(scene.url, { headers: { origin: ORIGIN } });
    expect(plain.headers.get("access-control-allow-origin")).to.equal(null);
  });

  it("lets a site's pages read the answers to forms and downloads, errors included", async () => {
    await setUp(RULES);
    const { url, fields } = await signForm(scene);
    const { operator } = scene;
    await operator.send(new PutObjectCommand({ Bucket: BUCKET, Key: "k", Body: "content" }));
    const read = await getSignedUrl(operator, new GetObjectCommand({ Bucket: BUCKET, Key: "k" }));
    const post = (changed: Record<string, string>) =>
      fetch(url, { method: "POST", headers: { origin: ORIGIN }, body: formData(changed) });

    const responses = await Promise.all([
      post(fields),
      post({ ...fields, key: "other" }),
      fetch(read, { headers: { origin: ORIGIN } }),
      fetch(`${scene.url}/k`, { headers: { origin: ORIGIN } }),
    ]);

    expect(responses.map(({ status }) => status)).to.deep.equal([204, 403, 200, 403]);
    for (const { headers } of responses) {
      expect(headers.get("access-control-allow-origin")).to.equal(ORIGIN);
      expect(headers.get("access-control-expose-headers")).to.equal("ETag, Location");
      expect(headers.get("vary")).to.equal(VARY);
    }
  });

  it("gives another site's pages no access", async () => {
    await setUp(RULES);
    const response = await fetch(scene.url, { headers: { origin: "https://example.org" } });
    expect(response.headers.get("access-control-allow-origin")).to.equal(null);
  });
});
