import { createHash } from "node:crypto";
import { expect } from "chai";
import { describedFetch } from "../../openapi/described";
import { type Managed, startManaged } from "./managed";

interface Form {
  event_id: string;
  bucket: string;
  key: string;
  url: string;
  fields: Record<string, string>;
  max_bytes: number;
}

const FILE = Buffer.from("a file that goes to S3 itself");
const SHA256 = createHash("sha256").update(FILE).digest("hex");

describe("the forms for large uploads", function () {
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

  async function formFor(body: object, headers?: Record<string, string>): Promise<Form> {
    const answer = await request({ content_type: "text/plain", ...body }, headers);
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    return answer.body as unknown as Form;
  }

  async function send({ url, fields }: Form, file: Buffer = FILE, origin?: string) {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) {
      form.append(name, value);
    }
    form.append("file", new Blob([new Uint8Array(file)]), "file");
    const headers: Record<string, string> = origin ? { origin } : {};
    const answer = await fetch(url, { method: "POST", body: form, headers });
    const code = /<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1];
    return { status: answer.status, code, headers: answer.headers };
  }

  async function rowOf(form: Form) {
    await managed.run.idle();
    return (await managed.rows()).find(({ event_id }) => event_id === form.event_id);
  }

  it("bring a file to notified, under the identity in the answer", async () => {
    const form = await formFor({ filename: "notes.txt" });

    const { status } = await send(form);

    expect(status).to.equal(204);
    const row = await rowOf(form);
    expect(row?.event_status).to.equal("notified");
    expect(row?.event_info).to.include({ Key: form.key, Size: FILE.length, FileName: "notes.txt" });
    expect(row?.event_result?.type).to.equal("text/plain");
  });

  it("make S3 check the requested size and checksum", async () => {
    const form = await formFor({ size: FILE.length, checksum_sha256: SHA256 });

    expect(await send(form, Buffer.from("short"))).to.include({
      status: 400,
      code: "EntityTooSmall",
    });
    expect(await send(form, Buffer.alloc(FILE.length + 1))).to.include({
      status: 400,
      code: "EntityTooLarge",
    });
    expect(await send(form, Buffer.alloc(FILE.length))).to.include({
      status: 400,
      code: "BadDigest",
    });
    expect(await rowOf(form)).to.equal(undefined);

    expect((await send(form)).status).to.equal(204);
    expect((await rowOf(form))?.event_result).to.include({
      checksum_algorithm: "SHA256",
      checksum: SHA256,
    });
  });

  it("are invalid when altered", async () => {
    const form = await formFor({ filename: "mine.txt" });
    const altered: [string, string, string][] = [
      ["key", `${form.key}2`, "AccessDenied"],
      ["Content-Type", "text/html", "AccessDenied"],
      [
        "Policy",
        Buffer.from('{"expiration":"2099-01-01T00:00:00Z","conditions":[]}').toString("base64"),
        "SignatureDoesNotMatch",
      ],
      ["X-Amz-Signature", "0".repeat(64), "SignatureDoesNotMatch"],
      ["acl", "public-read", "AccessDenied"],
    ];
    for (const [name, value, code] of altered) {
      const answer = await send({ ...form, fields: { ...form.fields, [name]: value } });
      expect(answer, name).to.include({ status: 403, code });
    }
    expect(await rowOf(form)).to.equal(undefined);
  });

  it("are valid for their own key only, also where the file's name has a variable", async () => {
    for (const filename of ["${filename}", "my ${filename}", "${filename}.txt"]) {
      const answer = await request({ content_type: "text/plain", filename });
      expect(answer.status, filename).to.equal(400);
      expect((answer.body as { error: { code: string } }).error.code).to.equal("invalid_filename");
    }
    const form = await formFor({ filename: "$filename {5}.txt" });
    expect((await send(form)).status).to.equal(204);
    expect((await rowOf(form))?.event_info.FileName).to.equal("$filename {5}.txt");
  });

  it("are the same for the same Idempotency-Key, until the file has arrived", async () => {
    const headers = { "idempotency-key": "the-same" };
    const [first, second] = await Promise.all([formFor({}, headers), formFor({}, headers)]);
    expect(second.key).to.equal(first.key);
    await send(first);
    await rowOf(first);

    const repeated = await request({ content_type: "text/plain" }, headers);
    const other = await request({ content_type: "text/plain", size: 5 }, headers);

    expect(repeated.status).to.equal(200);
    expect(repeated.body).to.include({ event_id: first.event_id, event_status: "notified" });
    expect(other.status).to.equal(422);
  });

  it("can be used by pages of the configured origins only", async () => {
    const form = await formFor({});
    const preflight = (origin: string) =>
      fetch(form.url, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" },
      });

    const [ours, others] = [
      await preflight("https://www.example.com"),
      await preflight("https://www.example.org"),
    ];

    expect(ours.status).to.equal(200);
    expect(ours.headers.get("access-control-allow-origin")).to.equal("https://www.example.com");
    expect(others.status).to.equal(403);
    const sent = await send(form, FILE, "https://www.example.com");
    expect(sent.headers.get("access-control-allow-origin")).to.equal("https://www.example.com");
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
    [{ content_type: "text/plain", size: 0 }, 400, "invalid_size"],
    [{ content_type: "text/plain", size: 1.5 }, 400, "invalid_size"],
    [{ size: 5 * 1024 ** 3 + 1, content_type: "text/plain" }, 413, "too_large"],
    [{ content_type: "plain" }, 400, "invalid_content_type"],
    [{ content_type: "image/png" }, 415, "type_not_allowed"],
    [{ content_type: "text/plain", checksum_sha256: "abc" }, 400, "invalid_checksum"],
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
