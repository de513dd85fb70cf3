import { createHash } from "node:crypto";
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { MIN_PART_BYTES } from "../../../runtime/multipart/parts";
import { type Managed, startManaged } from "./managed";

interface Upload {
  event_id: string;
  bucket: string;
  key: string;
  uploadId: string;
  part_size?: number;
}

interface NamedPart {
  PartNumber: number;
  ETag: string;
}

/** Two parts: the first of the least size, and a rest. */
const FIRST = Buffer.alloc(MIN_PART_BYTES, "first part ");
const REST = Buffer.from("the rest");
const FILE = Buffer.concat([FIRST, REST]);

/** CRC64NVME of `FILE`, in base64. */
const CHECKSUM = "CTJdCy3aI5M=";

function eTagOf(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("hex");
}

describe("uploads in parts", function () {
  let managed: Managed;

  before(async () => {
    managed = await startManaged({ config: { allowedContentTypes: "text/*" } });
  });

  after(() => managed.stop());

  afterEach(() => managed.expectStatsToAgree());

  const json = { "content-type": "application/json" };

  async function begin(metadata: object = {}, filename = "film.txt"): Promise<Upload> {
    const answer = await managed.ask("POST /s3/multipart", {
      body: JSON.stringify({ filename, type: "text/plain", metadata }),
      headers: json,
    });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    return answer.body as unknown as Upload;
  }

  const query = ({ key }: Upload, more: Record<string, string> = {}) =>
    new URLSearchParams({ key, ...more }).toString();

  async function signed(upload: Upload, part: number, size?: number): Promise<string> {
    const parameters = query(upload, size === undefined ? {} : { size: String(size) });
    const answer = await managed.ask(`GET /s3/multipart/${upload.uploadId}/${part}?${parameters}`);
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    return answer.body.url as string;
  }

  async function put(url: string, bytes: Buffer, headers: Record<string, string> = {}) {
    const answer = await fetch(url, { method: "PUT", body: new Uint8Array(bytes), headers });
    const code = /<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1];
    return { status: answer.status, code, eTag: answer.headers.get("etag") ?? "" };
  }

  async function send(upload: Upload, pieces: Buffer[], size?: number): Promise<NamedPart[]> {
    return await Promise.all(
      pieces.map(async (bytes, index) => {
        const { status, eTag } = await put(await signed(upload, index + 1, size), bytes);
        expect(status).to.equal(200);
        return { PartNumber: index + 1, ETag: eTag };
      }),
    );
  }

  function complete(upload: Upload, parts: object[], more: object = {}) {
    return managed.ask(`POST /s3/multipart/${upload.uploadId}/complete?${query(upload)}`, {
      body: JSON.stringify({ parts, ...more }),
      headers: json,
    });
  }

  function listed(upload: Upload) {
    return managed.ask(`GET /s3/multipart/${upload.uploadId}?${query(upload)}`);
  }

  const errorOf = ({ status, body }: Awaited<ReturnType<Managed["ask"]>>) =>
    `${status} ${(body.error as { code: string } | undefined)?.code ?? ""}`;

  async function rowOf({ event_id }: Upload) {
    await managed.run.idle();
    return (await managed.rows()).find((row) => row.event_id === event_id);
  }

  it("bring a file to notified, with its metadata and the checksum of its bytes", async () => {
    const size = FILE.length;
    const upload = await begin({ size, customer: "Käse AG", name: "film.txt" });
    expect(upload.part_size).to.equal(MIN_PART_BYTES);
    const parts = await send(upload, [FIRST, REST], size);
    expect(await rowOf(upload)).to.equal(undefined);

    const answer = await complete(upload, parts, { size, checksum_crc64nvme: CHECKSUM });

    expect(answer.body).to.deep.include({
      event_id: upload.event_id,
      key: upload.key,
      bucket: upload.bucket,
      checksum_crc64nvme: CHECKSUM,
    });
    expect(new URL(String(answer.body.location)).search).to.equal("");
    const row = await rowOf(upload);
    expect(row?.event_status).to.equal("notified");
    expect(row?.event_info).to.include({ Key: upload.key, Size: size, FileName: "film.txt" });
    expect(row?.event_result).to.include({ checksum_algorithm: "CRC64NVME", checksum: CHECKSUM });
    const { bucket: Bucket, key: Key } = upload;
    const object = await managed.s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(object.Metadata).to.have.all.keys("customer");
  });

  it("list their parts, without quotes, and take a part anew", async () => {
    const upload = await begin();
    expect((await listed(upload)).body).to.deep.equal([]);
    await send(upload, [Buffer.from("before"), REST]);
    await send(upload, [FIRST]);

    expect((await listed(upload)).body).to.deep.equal([
      { PartNumber: 1, Size: FIRST.length, ETag: eTagOf(FIRST) },
      { PartNumber: 2, Size: REST.length, ETag: eTagOf(REST) },
    ]);
  });

  it("are complete once: the same request again has the same answer, another one 409", async () => {
    const upload = await begin();
    const parts = await send(upload, [FIRST, REST]);
    const bare = parts.map(({ PartNumber, ETag }) => ({
      PartNumber,
      ETag: ETag.replaceAll('"', ""),
      Size: 1,
    }));

    const first = await complete(upload, parts);
    const again = await complete(upload, bare);
    const other = await complete(upload, parts.slice(0, 1));

    expect([first.status, again.status]).to.deep.equal([200, 200]);
    expect(again.body).to.deep.equal(first.body);
    expect(errorOf(other)).to.equal("409 upload_completed");
    await managed.run.idle();
    expect((await managed.rows()).filter((row) => row.event_id === upload.event_id)).to.have.length(
      1,
    );
  });

  it("sign the exact length of each part, where the file's size is known", async () => {
    const upload = await begin();
    const [first, rest] = [
      await signed(upload, 1, FILE.length),
      await signed(upload, 2, FILE.length),
    ];

    for (const [url, bytes] of [
      [first, REST],
      [first, Buffer.concat([FIRST, REST])],
      [rest, Buffer.alloc(REST.length + 1)],
    ] as const) {
      expect(await put(url, bytes)).to.include({ status: 403, code: "SignatureDoesNotMatch" });
    }
    expect((await put(first, FIRST)).status).to.equal(200);
    expect((await put(rest, REST)).status).to.equal(200);
    const path = `GET /s3/multipart/${upload.uploadId}/3?${query(upload, { size: String(FILE.length) })}`;
    expect(errorOf(await managed.ask(path))).to.equal("400 invalid_part_number");
  });

  it("are signed for their own key, upload and part only", async () => {
    const [upload, other] = [await begin(), await begin()];
    const url = await signed(upload, 1);
    for (const [from, to] of [
      ["partNumber=1", "partNumber=2"],
      [upload.uploadId, other.uploadId],
      [upload.event_id, other.event_id],
    ] as const) {
      const changed = url.replace(from, to);
      expect(changed).to.not.equal(url);
      expect(await put(changed, REST)).to.include({ status: 403, code: "SignatureDoesNotMatch" });
    }
  });

  it("go on after an abort as uploads that there are not", async () => {
    const upload = await begin();
    const parts = await send(upload, [REST]);
    const abort = () => managed.ask(`DELETE /s3/multipart/${upload.uploadId}?${query(upload)}`);

    expect([(await abort()).status, (await abort()).status]).to.deep.equal([204, 204]);
    expect(errorOf(await complete(upload, parts))).to.equal("404 upload_not_found");
    expect(errorOf(await listed(upload))).to.equal("404 upload_not_found");
    expect(await put(await signed(upload, 1), REST)).to.include({
      status: 404,
      code: "NoSuchUpload",
    });
    expect(await rowOf(upload)).to.equal(undefined);
  });

  describe("are not completed", () => {
    let upload: Upload;
    let parts: NamedPart[];

    before(async () => {
      upload = await begin();
      parts = await send(upload, [FIRST, REST]);
    });

    after(async () => {
      expect((await complete(upload, parts)).status).to.equal(200);
    });

    const other = { PartNumber: 1, ETag: eTagOf(REST) };
    const refused: [string, () => [parts: object[], more?: object], string][] = [
      ["no part", () => [[]], "400 invalid_parts"],
      ["a gap", () => [[parts[1] ?? {}]], "400 invalid_parts"],
      ["parts in another order", () => [[...parts].reverse()], "400 invalid_parts"],
      ["part 0", () => [[{ PartNumber: 0, ETag: "a" }]], "400 invalid_parts"],
      ["a part without ETag", () => [[{ PartNumber: 1 }]], "400 invalid_parts"],
      ["another field", () => [parts, { part: 1 }], "400 invalid_body"],
      [
        "a checksum of another kind",
        () => [parts, { checksum_crc64nvme: "abc" }],
        "400 invalid_checksum",
      ],
      [
        "another checksum",
        () => [parts, { checksum_crc64nvme: "rosUhgp5mIg=" }],
        "400 checksum_mismatch",
      ],
      ["another size", () => [parts, { size: FILE.length + 1 }], "400 invalid_upload"],
      ["the size 0", () => [parts, { size: 0 }], "400 empty_file"],
      ["an ETag that S3 does not have", () => [[other]], "400 invalid_part"],
      [
        "a part that was never sent",
        () => [[...parts, { PartNumber: 3, ETag: "ab" }]],
        "400 invalid_part",
      ],
    ];
    for (const [what, body, code] of refused) {
      it(`with ${what}: ${code}`, async () => {
        expect(errorOf(await complete(upload, ...body()))).to.equal(code);
        expect(await rowOf(upload)).to.equal(undefined);
      });
    }

    it("with a small part that is not the last: 400 part_too_small", async () => {
      const small = await begin();
      const sent = await send(small, [REST, REST]);
      expect(errorOf(await complete(small, sent))).to.equal("400 part_too_small");
    });

    it("under another upload's key: 404 upload_not_found", async () => {
      const { key } = await begin();
      expect(errorOf(await complete({ ...upload, key }, parts))).to.equal("404 upload_not_found");
    });
  });

  it("reach no key that the manager has not given out", async () => {
    const { uploadId, key } = await begin();
    const keys = ["photos/a.jpg", key.replace("signed/", "uploads/"), `${key}x`, "signed/", "../a"];
    for (const other of keys) {
      const upload = { uploadId, key: other } as Upload;
      const answers = [
        await managed.ask(`GET /s3/multipart/${uploadId}/1?${query(upload)}`),
        await listed(upload),
        await complete(upload, [{ PartNumber: 1, ETag: "ab" }]),
        await managed.ask(`DELETE /s3/multipart/${uploadId}?${query(upload)}`),
      ];
      expect(answers.map(errorOf), other).to.deep.equal(Array(4).fill("404 upload_not_found"));
    }
    for (const [path, code] of [
      [`/${uploadId}/1`, "400 invalid_key"],
      [`/${uploadId}/0?${query({ key } as Upload)}`, "400 invalid_part_number"],
      [`/${uploadId}/10001?${query({ key } as Upload)}`, "400 invalid_part_number"],
      [`/${uploadId}/one?${query({ key } as Upload)}`, "400 invalid_part_number"],
      [`/%2e%2e%2f/1?${query({ key } as Upload)}`, "404 upload_not_found"],
    ] as const) {
      expect(errorOf(await managed.ask(`GET /s3/multipart${path}`)), path).to.equal(code);
    }
  });

  const refused: [object | string, string][] = [
    ["not JSON", "400 invalid_body"],
    [{ name: "x" }, "400 invalid_body"],
    [{ filename: 5 }, "400 invalid_filename"],
    [{ type: 5 }, "400 invalid_content_type"],
    [{ type: "plain" }, "400 invalid_content_type"],
    [{ type: "image/png" }, "415 type_not_allowed"],
    [{ type: "text/plain", metadata: [] }, "400 invalid_metadata"],
    [{ type: "text/plain", metadata: { Customer: "x" } }, "400 invalid_metadata"],
    [{ type: "text/plain", metadata: { size: "5.5" } }, "400 invalid_size"],
    [{ type: "text/plain", metadata: { size: 0 } }, "400 empty_file"],
    [{ type: "text/plain", metadata: { size: 6e13 } }, "413 too_large"],
    [{ type: "text/plain", metadata: { last_modified: {} } }, "400 invalid_last_modified"],
  ];
  for (const [body, code] of refused) {
    it(`are not begun with ${JSON.stringify(body)}: ${code}`, async () => {
      const answer = await managed.ask("POST /s3/multipart", {
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: json,
      });
      expect(errorOf(answer)).to.equal(code);
    });
  }
});
