import { createHash, randomBytes, randomUUID } from "node:crypto";
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { parse as parseContentDisposition } from "content-disposition";
import fc from "fast-check";
import { type AllowedCall, AwsError } from "local-aws";
import { parseUploadKey } from "../../../events/identity";
import type { UploadAnswer } from "../../../handlers/upload/upload";
import { itemOf, processedEvent } from "../../../testing/events";
import { eventually } from "../../../testing/eventually";
import { streamRecord } from "../../../testing/records";
import { type Program, startProgram } from "../../../testing/startProgram";
import { anyText } from "../../events/arbitraries";
import { checkedFetch } from "../../openapi/described";

interface ErrorAnswer {
  error: { code: string; message: string; request_id?: string };
}

/** An origin whose pages may send files. */
const PAGE = "https://www.example.com";

/** A file name that only one test uses. */
function uniqueName(): string {
  return `${randomUUID()}.jpg`;
}

function sha256(bytes: Buffer, encoding: "hex" | "base64"): string {
  return createHash("sha256").update(bytes).digest(encoding);
}

describe("the header Content-Disposition", () => {
  it("can be parsed with any content", () => {
    const headers = fc.oneof(
      anyText,
      anyText.map((text) => `x; filename="${text}`),
      anyText.map((text) => `x; filename*=UTF-8''${text}`),
    );
    fc.assert(
      fc.property(headers, (text) => {
        const { filename } = parseContentDisposition(text).parameters;
        expect(typeof filename).to.be.oneOf(["string", "undefined"]);
      }),
    );
  });
});

describe("upload", function () {
  let program: Program;

  before(async () => {
    // The sweeper looks for lost rows after two seconds.
    program = await startProgram({ stuckSeconds: "8", corsOrigins: PAGE });
  });

  after(async () => {
    await program.stop();
  });

  beforeEach(() => {
    program.reset();
  });

  function post(
    query: Record<string, string>,
    headers: Record<string, string> = {},
    body: Buffer = Buffer.from("text"),
  ): Promise<Response> {
    const search = new URLSearchParams(query).toString();
    const url = `${String(program.run.outputs.uploadUrl)}${search && `?${search}`}`;
    return checkedFetch(url, { method: "POST", headers, body: Buffer.from(body) });
  }

  it("names the object that it has made", async () => {
    const answer = await post({ filename: "a b#.txt" });
    const { bucket, key } = (await answer.json()) as UploadAnswer;
    const location = answer.headers.get("location") ?? "";
    expect(location).to.match(/^s3:\/\/[^ #]+$/);
    expect(decodeURIComponent(location)).to.equal(`s3://${bucket}/${key}`);
  });

  it("refuses query parameters that it does not know, and a name given twice", async () => {
    const url = String(program.run.outputs.uploadUrl);
    for (const [query, code] of [
      ["file=a.txt", "unknown_parameter"],
      ["filename=a&FileName=b", "unknown_parameter"],
      ["filename=a&filename=b", "invalid_filename"],
    ]) {
      const answer = await checkedFetch(`${url}?${query}`, { method: "POST", body: "text" });
      const { error } = (await answer.json()) as { error: { code: string } };
      expect([answer.status, error.code]).to.deep.equal([400, code]);
    }
  });

  async function posted(...request: Parameters<typeof post>): Promise<UploadAnswer> {
    const response = await post(...request);
    const text = await response.text();
    expect(response.status, text).to.equal(201);
    return JSON.parse(text) as UploadAnswer;
  }

  async function refused(status: number, ...request: Parameters<typeof post>) {
    const response = await post(...request);
    const text = await response.text();
    expect(response.status, text).to.equal(status);
    expect(response.headers.get("content-type")).to.equal("application/json");
    return { ...(JSON.parse(text) as ErrorAnswer), headers: response.headers, text };
  }

  async function objectsNamed(fileName: string): Promise<string[]> {
    const { Contents: contents = [] } = await program.s3.send(
      new ListObjectsV2Command({ Bucket: program.bucketName }),
    );
    return contents.flatMap(({ Key }) => (Key?.endsWith(`/${fileName}`) ? [Key] : []));
  }

  function callsOf(operation: string): number {
    return program.calls.filter((call) => call === `upload ${operation}`).length;
  }

  /** Makes calls of the upload Lambda fail: the first ones, or all. */
  function refuse(operation: string, error: AwsError, times = Infinity): void {
    let left = times;
    program.onCall = (call: AllowedCall, lambda) => {
      if (lambda === "upload" && call.operation === operation && left > 0) {
        left -= 1;
        throw error;
      }
    };
  }

  describe("a file", () => {
    it("is stored unchanged, with its type and checksum, and answered with 201", async () => {
      const body = randomBytes(100_000);
      const fileName = uniqueName();

      const answer = await posted({ filename: fileName }, { "content-type": "image/x; a=b" }, body);

      const { event_id, key } = answer;
      expect(answer).to.deep.equal({
        event_id,
        event_status: "uploaded",
        bucket: program.bucketName,
        key,
        size: 100_000,
        content_type: "image/x; a=b",
        checksum: sha256(body, "hex"),
        checksum_algorithm: "SHA256",
      });
      const identity = parseUploadKey(key);
      expect(identity).to.deep.include({ event_id, fileName });
      expect(Date.now() - Date.parse(identity?.event_timestamp ?? "")).to.be.within(0, 60_000);

      const stored = await program.s3.send(
        new GetObjectCommand({ Bucket: program.bucketName, Key: key, ChecksumMode: "ENABLED" }),
      );
      const bytes = Buffer.from((await stored.Body?.transformToByteArray()) ?? []);
      expect(bytes.equals(body)).to.equal(true);
      expect(stored.ContentType).to.equal("image/x; a=b");
      expect(stored.ChecksumSHA256).to.equal(sha256(body, "base64"));

      const [row, ...more] = await program.rowsOf(fileName);
      expect(more).to.deep.equal([]);
      expect(row).to.deep.include({
        ...(identity && { event_id, event_timestamp: identity.event_timestamp }),
        event_info: {
          Bucket: program.bucketName,
          Key: key,
          Size: 100_000,
          ETag: stored.ETag?.replaceAll('"', ""),
          ContentType: "image/x; a=b",
          FileName: fileName,
          Checksum: sha256(body, "hex"),
        },
      });
    });

    const names: [what: string, name: string, query: string, disposition?: string][] = [
      ["the query", "a+b & ü.jpg", "a+b & ü.jpg", 'attachment; filename="other.jpg"'],
      ["the end of a path in the query", "cat.jpg", "../photos/cat.jpg"],
      ["the header", "cat.jpg", "", "attachment; filename=cat.jpg"],
      ["quoted text in the header", 'my "cat".jpg', "", 'inline; filename="my \\"cat\\".jpg"'],
      [
        "Unicode in the header",
        "Füße €.jpg",
        "",
        "x; filename*=UTF-8''F%C3%BC%C3%9Fe%20%E2%82%AC.jpg",
      ],
      [
        "the better of two in the header",
        "ü.jpg",
        "",
        "x; filename=u.jpg; filename*=UTF-8''%C3%BC.jpg",
      ],
      ["its type", "file.jpg", ""],
      [
        "raw UTF-8 in the header, as curl sends it",
        "日本 ü.txt",
        "",
        `attachment; filename="${Buffer.from("日本 ü.txt").toString("latin1")}"`,
      ],
      ["its query, without characters of direction", "fdp.exe", "\u202efdp\u2066.exe"],
      ["its type, for a header without one", "file.jpg", "", "attachment"],
      ["its type, for an invalid header", "file.jpg", "", ';;=";'],
      ["its type, for an invalid encoding", "file.jpg", "", "x; filename*=UTF-8''%ZZ"],
    ];
    for (const [what, name, query, disposition] of names) {
      it(`gets its name from ${what}`, async () => {
        const { key } = await posted(query ? { filename: query } : {}, {
          "content-type": "image/jpeg",
          ...(disposition && { "content-disposition": disposition }),
        });
        expect(parseUploadKey(key)?.fileName).to.equal(name);
      });
    }

    it("without a type is application/octet-stream", async () => {
      expect(await posted({})).to.include({ content_type: "application/octet-stream" });
    });
  });

  it("metadata in headers is stored with the object and in the row", async () => {
    const fileName = uniqueName();
    const { key } = await posted(
      { filename: fileName },
      {
        "x-amz-meta-order-no": "4711",
        // Raw UTF-8, as curl sends it.
        "X-Amz-Meta-Customer": Buffer.from("Müller & 日本").toString("latin1"),
      },
    );
    const [row] = await program.rowsOf(fileName);
    expect(row?.event_info.Metadata).to.deep.equal({
      customer: "Müller & 日本",
      "order-no": "4711",
    });
    const { Metadata } = await program.s3.send(
      new HeadObjectCommand({ Bucket: program.bucketName, Key: key }),
    );
    expect(Metadata).to.deep.equal({
      customer: `=?UTF-8?B?${Buffer.from("Müller & 日本").toString("base64")}?=`,
      "order-no": "4711",
    });
  });

  describe("a request that is refused", () => {
    it("has metadata that no row takes: the answer says which, and nothing is stored", async () => {
      for (const [name, value] of [
        ["x-amz-meta-order.no", "1"],
        ["x-amz-meta-order", ""],
        ["x-amz-meta-order", "x".repeat(201)],
      ] as const) {
        const { error } = await refused(400, {}, { [name]: value });
        expect(error.code).to.equal("invalid_metadata");
        expect(error.message).to.contain(name.slice("x-amz-meta-".length));
      }
      expect(program.calls).to.deep.equal([]);
    });

    it("has an encoded body, whose bytes are not the file's", async () => {
      const type = { "content-type": "text/plain", "content-encoding": "gzip" };
      const { error } = await refused(415, {}, type);
      expect(error.code).to.equal("encoding_not_supported");
    });

    it("has no body", async () => {
      const { error } = await refused(400, {}, {}, Buffer.alloc(0));
      expect(error.code).to.equal("empty_body");
    });

    it("is a form: the answer says how to send the file itself", async () => {
      const type = { "content-type": "multipart/form-data; boundary=x" };
      const { error } = await refused(415, {}, type);
      expect(error.code).to.equal("type_not_allowed");
      expect(error.message).to.contain("--data-binary");
    });

    for (const type of ["nonsense", "a/b/c", "image/", "image/jpeg, text/plain", "a/b; c=ü"]) {
      it(`has the Content-Type ${type}`, async () => {
        const { error } = await refused(400, {}, { "content-type": type });
        expect(error.code).to.equal("invalid_content_type");
      });
    }

    for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
      it(`uses ${method}: the answer names POST`, async () => {
        const response = await checkedFetch(String(program.run.outputs.uploadUrl), { method });
        expect(response.status).to.equal(405);
        expect(response.headers.get("allow")).to.equal("POST");
        expect(((await response.json()) as ErrorAnswer).error.code).to.equal("method_not_allowed");
      });
    }

    it("goes to another path", async () => {
      const url = `${String(program.run.outputs.uploadUrl)}s`;
      const response = await fetch(url, { method: "POST", body: "text" });
      expect(response.status).to.equal(404);
      expect(((await response.json()) as ErrorAnswer).error.code).to.equal("not_found");
    });

    it("makes no call to the bucket or a table", async () => {
      await refused(400, {}, { "idempotency-key": "some key" }, Buffer.alloc(0));
      expect(program.calls).to.deep.equal([]);
    });
  });

  describe("from a page", () => {
    const send = (origin: string, init: RequestInit = {}, headers: Record<string, string> = {}) =>
      fetch(String(program.run.outputs.uploadUrl), {
        method: "POST",
        body: "text",
        ...init,
        headers: { origin, ...headers },
      });

    it("is announced by a preflight request, which stores nothing", async () => {
      const answer = await send(
        PAGE,
        { method: "OPTIONS", body: undefined },
        {
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type,x-amz-meta-order",
        },
      );
      expect(answer.status).to.equal(204);
      expect(answer.headers.get("access-control-allow-origin")).to.equal(PAGE);
      expect(answer.headers.get("access-control-allow-methods")).to.equal("POST");
      expect(answer.headers.get("access-control-allow-headers"))
        .to.contain("Content-Type")
        .and.contain("x-amz-meta-order");
      expect(await answer.text()).to.equal("");
      expect(program.calls).to.deep.equal([]);
    });

    it("gets answers that it can read: of the file, of errors, and of API Gateway itself", async () => {
      const answers = [
        await send(PAGE),
        await send(PAGE, { method: "PUT" }),
        await send(PAGE, { body: Buffer.alloc(10 * 1024 * 1024 + 1) }),
      ];
      expect(answers.map(({ status }) => status)).to.deep.equal([201, 405, 413]);
      for (const { headers } of answers) {
        expect(headers.get("access-control-allow-origin")).to.equal(PAGE);
        expect(headers.get("access-control-expose-headers")).to.contain("Retry-After");
      }
      expect(answers[0]?.headers.get("access-control-expose-headers")).to.contain("Location");
      expect(answers[0]?.headers.get("vary")).to.equal("Origin");
    });

    it("of another origin, cannot read the answer", async () => {
      for (const { headers } of [await send("https://example.com"), await send("null")]) {
        expect(headers.get("access-control-allow-origin")).to.equal(null);
      }
    });
  });

  describe("when a service fails", () => {
    it("a permanently overloaded bucket is answered with 503 and Retry-After", async () => {
      refuse("s3:PutObject", new AwsError("SlowDown", 503, "Please reduce your request rate."));

      const { error, headers } = await refused(503, {});

      expect(error.code).to.equal("storage_unavailable");
      expect(error.request_id).to.match(/^[\w-]{36}$/);
      expect(headers.get("retry-after")).to.equal("1");
      expect(callsOf("s3:PutObject")).to.equal(3);
    });

    it("a bucket that denies access is answered with 502; only the log has the reason", async () => {
      refuse("s3:PutObject", new AwsError("AccessDenied", 403, "not for role/secret-name"));

      const { error, text } = await refused(502, {});

      expect(error.code).to.equal("storage_failed");
      expect(text).to.not.match(/secret-name|AccessDenied|\bat \S+:\d+|stack/);
      expect(await program.logged("secret-name")).to.contain(error.request_id);
    });

    it("a briefly overloaded bucket does not affect the answer", async () => {
      refuse("s3:PutObject", new AwsError("ServiceUnavailable", 503, "Try again."), 1);
      await posted({});
      expect(callsOf("s3:PutObject")).to.equal(2);
    });

    it("a table that does not answer times out early enough for the client to retry", async () => {
      let stuck = 0;
      let release: () => void = () => undefined;
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      program.onCall = async ({ operation }, lambda) => {
        if (lambda === "upload" && operation === "dynamodb:PutItem" && (stuck += 1) === 1) {
          await released;
          throw new AwsError("InternalServerError", 500, "too late");
        }
      };

      await posted({});

      expect(callsOf("dynamodb:PutItem")).to.equal(2);
      release();
    });

    it("a row that cannot be written is left to the sweeper", async () => {
      refuse("dynamodb:PutItem", new AwsError("InternalServerError", 500, "no"));

      const { event_id, event_status, key } = await posted({});

      expect(event_status).to.equal("uploaded");
      expect(await program.rowsOf(key)).to.deep.equal([]);
      program.reset();
      const row = await eventually(async () => {
        await program.invoke("sweep", {});
        return (await program.rowsOf(key))[0];
      });
      expect(row).to.include({ event_id, event_status: "created" });
    });
  });

  describe("a key that S3 has an object under", () => {
    const keyOf = ({ request }: AllowedCall) =>
      decodeURIComponent(request.url.replace(`/${program.bucketName}/`, "").split("?")[0] ?? "");

    /** Puts an object under the key of the Lambda's first PutObject, before S3 gets that. */
    function putFirst(Body: string, error?: AwsError): void {
      let isFirst = true;
      program.onCall = async (call, lambda) => {
        if (isFirst && lambda === "upload" && call.operation === "s3:PutObject") {
          isFirst = false;
          const Key = keyOf(call);
          const { bucketName: Bucket } = program;
          await program.s3.send(new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch: "*" }));
          if (error) {
            throw error;
          }
        }
      };
    }

    it("holds this file, where the answer to the first attempt was lost", async () => {
      putFirst("text", new AwsError("InternalError", 500, "The answer is lost."));

      const response = await post({});

      expect(response.status).to.equal(201);
      expect(response.headers.get("idempotent-replayed")).to.equal(null);
      const { event_id, key } = (await response.json()) as UploadAnswer;
      const [row] = await program.rowsOf(key);
      expect(row).to.deep.include({ event_id, event_status: "uploaded" });
      expect(row?.event_info.ETag).to.equal("1cb251ec0d568de6a929b520c4aed8d1");
    });

    it("is no answer to a first attempt: nothing is known of its bytes", async () => {
      const filename = uniqueName();
      putFirst("other bytes");

      const { error } = await refused(502, { filename });

      expect(error.code).to.equal("storage_failed");
      expect(await program.rowsOf(filename)).to.deep.equal([]);
    });

    it("cannot pass for the file of an Idempotency-Key: the event has the file's own ETag", async () => {
      putFirst("other bytes");

      const { key } = await posted({}, { "idempotency-key": randomUUID() });

      const [row] = await program.rowsOf(key);
      expect(row?.event_info.ETag).to.equal("1cb251ec0d568de6a929b520c4aed8d1");
      const records = [streamRecord(itemOf(row ?? processedEvent()))];
      await program.invoke("process", { Records: records });
      const [failed] = await program.rowsOf(key);
      expect(failed).to.have.property("event_status", "failed");
      expect(failed).to.have.nested.property("last_error.code", "ObjectReplaced");
    });
  });

  describe("with an Idempotency-Key", () => {
    it("the same request twice is one event, one object and one row", async () => {
      const fileName = uniqueName();
      const headers = { "idempotency-key": randomUUID(), "content-type": "image/jpeg" };

      const first = await posted({ filename: fileName }, headers);
      const second = await posted({ filename: fileName }, headers);

      expect(second).to.deep.equal(first);
      expect(program.created.map(({ key }) => key)).to.deep.equal([first.key]);
      expect(await objectsNamed(fileName)).to.deep.equal([first.key]);
      expect(await program.rowsOf(fileName)).to.have.lengthOf(1);
    });

    it("the same request again is answered as repeated, by a header", async () => {
      const headers = { "idempotency-key": randomUUID() };
      const name = { filename: uniqueName() };

      const replayed = [await post(name, headers), await post(name, headers)].map((response) =>
        response.headers.get("idempotent-replayed"),
      );

      expect(replayed).to.deep.equal([null, "true"]);
    });

    it("eight times at once is one event, one object and one row", async () => {
      const fileName = uniqueName();
      const headers = { "idempotency-key": randomUUID() };

      const answers = await Promise.all(
        Array.from({ length: 8 }, () => posted({ filename: fileName }, headers)),
      );

      expect(new Set(answers.map(({ event_id }) => event_id)).size).to.equal(1);
      expect(program.created).to.have.lengthOf(1);
      expect(await objectsNamed(fileName)).to.deep.equal([answers[0]?.key]);
      expect(await program.rowsOf(fileName)).to.have.lengthOf(1);
    });

    it("another request under the same key is refused, and changes nothing", async () => {
      const fileName = uniqueName();
      const headers = { "idempotency-key": randomUUID(), "content-type": "image/jpeg" };
      const { key } = await posted({ filename: fileName }, headers);

      const others: Parameters<typeof post>[] = [
        [{ filename: fileName }, headers, Buffer.from("other bytes")],
        [{ filename: `other-${fileName}` }, headers],
        [{ filename: fileName }, { ...headers, "content-type": "image/png" }],
        [{ filename: fileName }, { ...headers, "x-amz-meta-order": "1" }],
      ];
      for (const other of others) {
        const { error } = await refused(422, ...other);
        expect(error.code).to.equal("idempotency_key_reused");
      }

      expect(await objectsNamed(fileName)).to.deep.equal([key]);
      expect(await program.rowsOf(fileName)).to.have.lengthOf(1);
    });

    it("requests with different keys, or none, are different events", async () => {
      const answers = [
        await posted({}, { "idempotency-key": randomUUID() }),
        await posted({}, { "idempotency-key": randomUUID() }),
        await posted({}),
        await posted({}),
      ];
      expect(new Set(answers.map(({ event_id }) => event_id)).size).to.equal(4);
    });

    for (const key of ["", "ü", "tab\there", "k".repeat(256)]) {
      it(`${JSON.stringify(key).slice(0, 10)} is refused: it is not a key`, async () => {
        const { error } = await refused(400, {}, { "idempotency-key": key });
        expect(error.code).to.equal("invalid_idempotency_key");
      });
    }

    it("of 255 characters is accepted", async () => {
      await posted({}, { "idempotency-key": randomUUID().padEnd(255, "k") });
    });

    it("an upload that failed at the bucket is stored once by its retry", async () => {
      const fileName = uniqueName();
      const headers = { "idempotency-key": randomUUID() };
      refuse("s3:PutObject", new AwsError("InternalError", 500, "no"));
      await refused(503, { filename: fileName }, headers);
      expect(await objectsNamed(fileName)).to.deep.equal([]);
      program.reset();

      const { key, event_status } = await posted({ filename: fileName }, headers);

      expect(event_status).to.equal("uploaded");
      expect(await objectsNamed(fileName)).to.deep.equal([key]);
      expect(await program.rowsOf(fileName)).to.have.lengthOf(1);
    });

    it("an upload that conflicted with a concurrent retry in S3 is answered with 503", async () => {
      const headers = { "idempotency-key": randomUUID() };
      refuse("s3:PutObject", new AwsError("ConditionalRequestConflict", 409, "conflict"));
      const { headers: answered } = await refused(503, {}, headers);
      expect(answered.get("retry-after")).to.equal("1");
      program.reset();

      await posted({}, headers);
    });

    it("without the table of keys, nothing is stored", async () => {
      refuse("dynamodb:PutItem", new AwsError("InternalServerError", 500, "no"));
      await refused(503, {}, { "idempotency-key": randomUUID() });
      expect(callsOf("s3:PutObject")).to.equal(0);
    });
  });
});
