import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { describedFetch } from "../../openapi/described";
import { type Managed, startManaged } from "./managed";

interface SignedUpload {
  event_id: string;
  event_timestamp: string;
  bucket: string;
  key: string;
  method: string;
  url: string;
  headers: Record<string, string>;
}

const FILE = Buffer.from("a file that goes to S3 itself");
const SHA256 = createHash("sha256").update(FILE).digest("hex");

describe("the signed requests for large uploads", function () {
  let managed: Managed;

  before(async () => {
    managed = await startManaged({
      config: { allowedContentTypes: "text/*", corsOrigins: "https://www.example.com" },
    });
  });

  after(() => managed.stop());

  afterEach(() => managed.expectStatsToAgree());

  function request(body: object, headers: Record<string, string> = {}) {
    return managed.ask("POST /uploads", {
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });
  }

  async function signedFor(body: object, headers?: Record<string, string>): Promise<SignedUpload> {
    const wanted = { content_type: "text/plain", size: FILE.length, ...body };
    const answer = await request(wanted, headers);
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    return answer.body as unknown as SignedUpload;
  }

  async function send(
    { method, url, headers }: SignedUpload,
    file: Buffer = FILE,
    changed: Record<string, string | undefined> = {},
  ) {
    const sent: Record<string, string | undefined> = {
      ...headers,
      "Content-Length": String(file.length),
      ...changed,
    };
    const answer = await fetch(url, {
      method,
      headers: Object.entries(sent).flatMap(([name, value]): [string, string][] =>
        value === undefined ? [] : [[name, value]],
      ),
      body: new Uint8Array(file),
    });
    const code = /<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1];
    return { status: answer.status, code, headers: answer.headers };
  }

  async function rowOf({ event_id }: SignedUpload) {
    await managed.run.idle();
    return (await managed.rows()).find((row) => row.event_id === event_id);
  }

  it("bring a file to notified, under the identity in the answer", async () => {
    const signed = await signedFor({ filename: "notes.txt" });

    const { status } = await send(signed);

    expect(status).to.equal(200);
    const row = await rowOf(signed);
    expect(row?.event_status).to.equal("notified");
    expect(row?.event_info).to.include({
      Key: `signed/${signed.event_timestamp}/${signed.event_id}/notes.txt`,
      Size: FILE.length,
      FileName: "notes.txt",
    });
    expect(row?.event_result?.type).to.equal("text/plain");
    // Not by the sweeper, which would be minutes later.
    expect(row?.event_history?.[0]).to.include({ status: "created", function: "record" });
  });

  it("are answered with the URL of their event", async () => {
    const { outputs } = managed.run;
    const url = `${String(outputs.managerUrl)}/uploads/`;
    const headers = { "x-api-key": String(outputs.managerApiKey) };
    const body = JSON.stringify({ content_type: "text/plain", size: FILE.length });
    const answer = await fetch(url, { method: "POST", headers, body });
    const signed = (await answer.json()) as SignedUpload;
    await send(signed);
    await managed.run.idle();

    const shown = await fetch(answer.headers.get("location") ?? "", { headers });

    expect(await shown.json())
      .to.have.property("event")
      .that.includes({ event_id: signed.event_id });
  });

  it("name the headers to send, all of which are signed", async () => {
    const signed = await signedFor({ checksum_sha256: SHA256 });

    expect(signed).to.include({ method: "PUT" });
    expect(signed.headers).to.deep.equal({
      "Content-Length": String(FILE.length),
      "Content-Type": "text/plain",
      "If-None-Match": "*",
      "x-amz-checksum-sha256": Buffer.from(SHA256, "hex").toString("base64"),
    });
    expect(new URL(signed.url).searchParams.get("X-Amz-SignedHeaders")).to.equal(
      "content-length;content-type;host;if-none-match;x-amz-checksum-sha256",
    );
  });

  it("carry metadata in signed headers, which the event then has", async () => {
    const metadata = { customer: "Müller & Söhne", "order-no": "two  blanks" };
    const signed = await signedFor({ filename: "order.txt", metadata });
    expect(signed.headers).to.include({ "x-amz-meta-order-no": "two  blanks" });

    const other = { "x-amz-meta-order-no": "4712" };
    expect(await send(signed, FILE, other)).to.include({ code: "SignatureDoesNotMatch" });
    const more = { "x-amz-meta-more": "1" };
    expect((await send(signed, FILE, more)).status).to.equal(403);
    const lacking = { "x-amz-meta-customer": undefined };
    expect(await send(signed, FILE, lacking)).to.include({ status: 403 });
    expect((await send(signed)).status).to.equal(200);

    const row = await rowOf(signed);
    expect(row?.event_status).to.equal("notified");
    expect(row?.event_info.Metadata).to.deep.equal(metadata);
  });

  it("with an Idempotency-Key, are of one metadata, in whatever order", async () => {
    const headers = { "idempotency-key": "metadata" };
    const first = await signedFor({ metadata: { a: "1", b: "2" } }, headers);
    const again = await signedFor({ metadata: { b: "2", a: "1" } }, headers);
    expect(again.event_id).to.equal(first.event_id);
    const body = { content_type: "text/plain", size: FILE.length, metadata: { a: "1" } };
    expect(await request(body, headers)).to.have.property("status", 422);
  });

  it("write once: what was inspected is what the link serves", async () => {
    const photo = await readFile(`${__dirname}/../../../sample.jpg`);
    const signed = await signedFor({ filename: "photo.txt", size: photo.length });
    expect((await send(signed, photo)).status).to.equal(200);
    const before = await rowOf(signed);
    expect(before?.event_status).to.equal("notified");

    const html = Buffer.from("<script>alert(1)</script>".padEnd(photo.length));
    const second = await send(signed, html);

    expect(second).to.include({ status: 412, code: "PreconditionFailed" });
    expect(await rowOf(signed)).to.deep.equal(before);
    const shown = await managed.ask(`GET /events/${signed.event_id}`);
    const link = (shown.body as { download: { url: string } }).download.url;
    const served = Buffer.from(await (await fetch(link)).arrayBuffer());
    expect(served.equals(photo)).to.equal(true);
  });

  it("make S3 check the size and the checksum", async () => {
    const signed = await signedFor({ checksum_sha256: SHA256 });

    for (const file of [Buffer.from("short"), Buffer.alloc(FILE.length + 1)]) {
      expect(await send(signed, file)).to.include({ status: 403, code: "SignatureDoesNotMatch" });
    }
    const other = await send(signed, Buffer.alloc(FILE.length));
    expect(other).to.include({ status: 400, code: "BadDigest" });
    expect(await rowOf(signed)).to.equal(undefined);

    expect((await send(signed)).status).to.equal(200);
    expect((await rowOf(signed))?.event_result).to.include({
      checksum_algorithm: "SHA256",
      checksum: SHA256,
    });
  });

  it("are invalid when altered", async () => {
    const signed = await signedFor({ filename: "mine.txt", checksum_sha256: SHA256 });
    const altered: [Record<string, string | undefined>, string][] = [
      [{ "Content-Type": "text/html" }, "SignatureDoesNotMatch"],
      [{ "Content-Type": undefined }, "SignatureDoesNotMatch"],
      [{ "If-None-Match": undefined }, "SignatureDoesNotMatch"],
      [{ "If-None-Match": '"0"' }, "SignatureDoesNotMatch"],
      [{ "x-amz-checksum-sha256": undefined }, "SignatureDoesNotMatch"],
      [{ "x-amz-acl": "public-read" }, "AccessDenied"],
      [{ "x-amz-meta-a": "b" }, "AccessDenied"],
    ];
    for (const [headers, code] of altered) {
      const answer = await send(signed, FILE, headers);
      expect(answer, JSON.stringify(headers)).to.include({ status: 403, code });
    }
    for (const url of [signed.url.replace("mine.txt", "other.txt"), `${signed.url}0`]) {
      expect(await send({ ...signed, url })).to.include({
        status: 403,
        code: "SignatureDoesNotMatch",
      });
    }
    expect(await rowOf(signed)).to.equal(undefined);
  });

  it("are valid for their own key only, whatever the file's name has in it", async () => {
    for (const filename of ["${filename}", "a b+c%2F?x=1&ü#😀.txt"]) {
      const signed = await signedFor({ filename });
      expect((await send(signed)).status, filename).to.equal(200);
      expect((await rowOf(signed))?.event_info.FileName).to.equal(filename);
    }
  });

  it("are for the same event for the same Idempotency-Key, until the file has arrived", async () => {
    const headers = { "idempotency-key": "the-same" };
    const [first, second] = await Promise.all([signedFor({}, headers), signedFor({}, headers)]);
    expect(second.key).to.equal(first.key);
    await send(first);
    await rowOf(first);

    const size = FILE.length;
    const repeated = await request({ content_type: "text/plain", size }, headers);
    const other = await request({ content_type: "text/plain", size: 5 }, headers);

    expect(repeated.status).to.equal(200);
    expect(repeated.body).to.include({ event_id: first.event_id, event_status: "notified" });
    expect(other.status).to.equal(422);
  });

  it("can be used by pages of the configured origins only", async () => {
    const signed = await signedFor({});
    const preflight = (origin: string) =>
      fetch(signed.url, {
        method: "OPTIONS",
        headers: {
          origin,
          "access-control-request-method": "PUT",
          "access-control-request-headers": "content-type,if-none-match,x-amz-checksum-sha256",
        },
      });

    const [ours, others] = [
      await preflight("https://www.example.com"),
      await preflight("https://www.example.org"),
    ];

    expect(ours.status).to.equal(200);
    expect(ours.headers.get("access-control-allow-origin")).to.equal("https://www.example.com");
    expect(ours.headers.get("access-control-allow-headers")).to.include("if-none-match");
    expect(others.status).to.equal(403);
    const sent = await send(signed, FILE, { origin: "https://www.example.com" });
    expect(sent.headers.get("access-control-allow-origin")).to.equal("https://www.example.com");
    expect(sent.headers.get("access-control-expose-headers")).to.equal("ETag");
  });

  it("are suggested by the 413 of the direct upload", async () => {
    const answer = await describedFetch(String(managed.run.outputs.uploadUrl), {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: Buffer.alloc(4_300_000, "x"),
    });

    expect(answer.status).to.equal(413);
    expect(JSON.stringify(answer.body)).to.include("POST /uploads");
  });

  const refused: [object | string, number, string][] = [
    ["not JSON", 400, "invalid_body"],
    ["[]", 400, "invalid_body"],
    [{ name: "x" }, 400, "invalid_body"],
    [{ filename: 5 }, 400, "invalid_filename"],
    [{ content_type: "text/plain" }, 400, "invalid_size"],
    [{ content_type: "text/plain", size: null }, 400, "invalid_size"],
    [{ content_type: "text/plain", size: "5" }, 400, "invalid_size"],
    [{ content_type: "text/plain", size: 0 }, 400, "invalid_size"],
    [{ content_type: "text/plain", size: 1.5 }, 400, "invalid_size"],
    [{ size: 5 * 1024 ** 3 + 1, content_type: "text/plain" }, 413, "too_large"],
    [{ content_type: "plain", size: 1 }, 400, "invalid_content_type"],
    [{ content_type: "image/png", size: 1 }, 415, "type_not_allowed"],
    [{ content_type: "text/plain", size: 1, checksum_sha256: "abc" }, 400, "invalid_checksum"],
  ];
  for (const [body, status, code] of refused) {
    it(`are refused with ${code} to ${JSON.stringify(body)}`, async () => {
      const answer = await managed.ask("POST /uploads", {
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "content-type": "application/json" },
      });
      expect(answer.status).to.equal(status);
      expect((answer.body as { error: { code: string } }).error.code).to.equal(code);
    });
  }
});
