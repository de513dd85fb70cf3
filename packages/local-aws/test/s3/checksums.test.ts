import { hash, randomBytes } from "node:crypto";
import {
  type ChecksumAlgorithm,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import fc from "fast-check";
import { combineCrcs } from "../../s3/body/combineCrc";
import { CHECKSUMS, digestOf, loadDigests } from "../../s3/body/digests";
import { failure, type Harness, startS3 } from "./harness";

const Bucket = "files";

/** Of "123456789", in hexadecimal digits: the check values in the algorithms' descriptions. */
const CHECK_VALUES: Record<string, string> = {
  crc32: "cbf43926",
  crc32c: "e3069283",
  crc64nvme: "ae8b14860a799888",
  md5: "25f9e794323b453885f5181f1b624d0b",
  sha1: "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
  sha256: "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
  sha512: hash("sha512", "123456789"),
  xxhash64: "8cb841db40e6ae83",
  xxhash3: "72dcb18b67a17dff",
  xxhash128: "33119477ede5dcd5e9716427681d5860",
};

/** Those that the SDK computes itself. */
const COMPUTED = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

/** How the SDK is told to send a checksum. */
function sending(algorithm: string, body: Buffer): Fields {
  const name = algorithm.toUpperCase();
  return COMPUTED.includes(algorithm)
    ? { ChecksumAlgorithm: name }
    : { [`Checksum${name}`]: digestOf(algorithm, body).toString("base64") };
}

/** The output of a call, by name. */
type Fields = Record<string, unknown>;

describe("checksums", () => {
  let harness: Harness;
  before(async () => {
    harness = await startS3();
    await loadDigests();
  });
  after(() => harness.close());

  const send: Harness["client"]["send"] = (...parameters: never[]) =>
    (harness.client.send as (...all: never[]) => never)(...parameters);

  for (const algorithm of CHECKSUMS) {
    const Algorithm = algorithm.toUpperCase();
    const object = { Bucket, Key: algorithm };
    const name = `Checksum${Algorithm}`;

    it(`has the known ${Algorithm} of a text`, () => {
      const digest = digestOf(algorithm, Buffer.from("123456789"));
      expect(digest.toString("hex")).to.equal(CHECK_VALUES[algorithm]);
    });

    it(`keeps the ${Algorithm} that the SDK sends, and refuses another one`, async () => {
      const Body = randomBytes(2_000_000);
      for (const body of [Body.subarray(0, 1000), Body]) {
        const put: Fields = {
          ...(await send(
            new PutObjectCommand({ ...object, Body: body, ...sending(algorithm, body) }),
          )),
        };
        const head: Fields = {
          ...(await send(new HeadObjectCommand({ ...object, ChecksumMode: "ENABLED" }))),
        };

        const sum = digestOf(algorithm, body).toString("base64");
        expect(put[name]).to.equal(sum);
        expect(head[name]).to.equal(sum);
        expect(head.ChecksumType).to.equal("FULL_OBJECT");
        if (COMPUTED.includes(algorithm)) {
          // The SDK compares it, too.
          const { Body: read } = await send(
            new GetObjectCommand({ ...object, ChecksumMode: "ENABLED" }),
          );
          await read?.transformToByteArray();
        }
      }

      const wrong = digestOf(algorithm, Buffer.from("other")).toString("base64");
      const other = new PutObjectCommand({ ...object, Body: "body", [name]: wrong });
      expect(await failure(send(other))).to.include({ name: "BadDigest", status: 400 });
    });
  }

  it("of CRCs are combined without reading the content", () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 });
    for (const algorithm of ["crc32", "crc32c", "crc64nvme"]) {
      fc.assert(
        fc.property(pieces, (arrays) => {
          const parts = arrays.map((array) => Buffer.from(array));
          const combined = combineCrcs(
            algorithm,
            parts.map((part) => ({ crc: digestOf(algorithm, part), size: part.length })),
          );
          const whole = digestOf(algorithm, Buffer.concat(parts));
          expect(combined.toString("hex")).to.equal(whole.toString("hex"));
        }),
        { numRuns: 30 },
      );
    }
  });

  describe("over parts", () => {
    const first = randomBytes(5 << 20);
    const second = Buffer.from("the last part");
    const object = { Bucket, Key: "parts" };

    /** @param complete changes the last request */
    async function upload(
      algorithm: string,
      type?: "FULL_OBJECT" | "COMPOSITE",
      complete: (parts: Fields[], whole: Fields) => Fields = (_parts, whole) => whole,
    ): Promise<Fields> {
      const ChecksumAlgorithm = algorithm.toUpperCase() as ChecksumAlgorithm;
      const created = await send(
        new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm, ChecksumType: type }),
      );
      const { UploadId } = created;
      const parts: Fields[] = [];
      for (const [index, Body] of [first, second].entries()) {
        const PartNumber = index + 1;
        const { $metadata, ...part } = await send(
          new UploadPartCommand({
            ...object,
            UploadId,
            PartNumber,
            Body,
            ...sending(algorithm, Body),
          }),
        );
        expect($metadata.httpStatusCode).to.equal(200);
        parts.push({ ...part, PartNumber });
      }
      const whole = { ...object, UploadId, MultipartUpload: { Parts: parts } };
      const { $metadata, ...completed } = await send(
        new CompleteMultipartUploadCommand(complete(parts, whole) as typeof whole),
      );
      expect($metadata.httpStatusCode).to.equal(200);
      return { ...completed, created };
    }

    const composite = (algorithm: string) => {
      const sums = [first, second].map((part) => digestOf(algorithm, part));
      return `${digestOf(algorithm, Buffer.concat(sums)).toString("base64")}-2`;
    };
    const full = (algorithm: string) =>
      digestOf(algorithm, Buffer.concat([first, second])).toString("base64");

    for (const [algorithm, type, expected] of [
      ["crc32", undefined, "COMPOSITE"],
      ["crc32", "FULL_OBJECT", "FULL_OBJECT"],
      ["crc32c", "COMPOSITE", "COMPOSITE"],
      ["crc32c", "FULL_OBJECT", "FULL_OBJECT"],
      ["crc64nvme", undefined, "FULL_OBJECT"],
      ["sha256", undefined, "COMPOSITE"],
      ["sha512", "COMPOSITE", "COMPOSITE"],
    ] as const) {
      it(`are ${expected} for ${algorithm}, type ${type ?? "not given"}`, async () => {
        const name = `Checksum${algorithm.toUpperCase()}`;
        const sum = expected === "COMPOSITE" ? composite(algorithm) : full(algorithm);

        const completed = await upload(algorithm, type, (_parts, whole) => ({
          ...whole,
          [name]: sum,
          ChecksumType: expected,
          MpuObjectSize: first.length + second.length,
        }));

        expect(completed).to.include({ [name]: sum, ChecksumType: expected });
        expect(completed.created).to.include({ ChecksumType: expected });
        const head: Fields = {
          ...(await send(new HeadObjectCommand({ ...object, ChecksumMode: "ENABLED" }))),
        };
        expect(head).to.include({ [name]: sum, ChecksumType: expected });
        const { Checksum, ObjectParts } = await send(
          new GetObjectAttributesCommand({
            ...object,
            ObjectAttributes: ["Checksum", "ObjectParts"],
          }),
        );
        expect(Checksum).to.include({ [name]: sum, ChecksumType: expected });
        expect(ObjectParts?.Parts?.map((part) => (part as Fields)[name])).to.deep.equal(
          [first, second].map((part) => digestOf(algorithm, part).toString("base64")),
        );
      });
    }

    it("are computed for parts that come without, in memory, on disk and copied", async () => {
      await send(new PutObjectCommand({ Bucket, Key: "source", Body: first }));
      const { UploadId } = await send(
        new CreateMultipartUploadCommand({
          ...object,
          ChecksumAlgorithm: "CRC32C",
          ChecksumType: "FULL_OBJECT",
        }),
      );
      const raw = async (number: number, body: Buffer) => {
        const url = `${harness.url}/files/parts?partNumber=${number}&uploadId=${UploadId ?? ""}`;
        const { headers } = await fetch(url, { method: "PUT", body: new Uint8Array(body) });
        return { PartNumber: number, ETag: headers.get("etag") ?? "" };
      };
      const { CopyPartResult } = await send(
        new UploadPartCopyCommand({
          ...object,
          UploadId,
          PartNumber: 1,
          CopySource: "files/source",
        }),
      );
      const parts = [
        { PartNumber: 1, ETag: CopyPartResult?.ETag },
        await raw(2, first),
        await raw(3, second),
      ];

      const { ChecksumCRC32C } = await send(
        new CompleteMultipartUploadCommand({
          ...object,
          UploadId,
          MultipartUpload: { Parts: parts },
        }),
      );

      expect(CopyPartResult?.ChecksumCRC32C).to.equal(digestOf("crc32c", first).toString("base64"));
      expect(ChecksumCRC32C).to.equal(
        digestOf("crc32c", Buffer.concat([first, first, second])).toString("base64"),
      );
    });

    const ANNOUNCED: [string, Fields][] = [
      ["an unknown algorithm", { ChecksumAlgorithm: "CRC16" }],
      ["FULL_OBJECT of a digest", { ChecksumAlgorithm: "SHA256", ChecksumType: "FULL_OBJECT" }],
      ["COMPOSITE of CRC64NVME", { ChecksumAlgorithm: "CRC64NVME", ChecksumType: "COMPOSITE" }],
      ["an unknown type", { ChecksumAlgorithm: "CRC32", ChecksumType: "PARTIAL" }],
    ];
    for (const [what, fields] of ANNOUNCED) {
      it(`are refused as ${what}`, async () => {
        const refusal = await failure(
          send(new CreateMultipartUploadCommand({ ...object, ...fields })),
        );
        expect(refusal).to.include({ name: "InvalidRequest", status: 400 });
      });
    }

    const WRONG: [string, (parts: Fields[], whole: Fields) => Fields, string][] = [
      [
        "the object's checksum is another one",
        (_parts, whole) => ({ ...whole, ChecksumSHA256: `${hash("sha256", "", "base64")}-2` }),
        "BadDigest",
      ],
      [
        "the object's checksum is of another algorithm",
        (_parts, whole) => ({ ...whole, ChecksumCRC32: "AAAAAA==" }),
        "InvalidRequest",
      ],
      [
        "the type is another one",
        (_, whole) => ({ ...whole, ChecksumType: "FULL_OBJECT" }),
        "InvalidRequest",
      ],
      ["the size is another one", (_, whole) => ({ ...whole, MpuObjectSize: 7 }), "InvalidRequest"],
      [
        "a part's checksum is missing",
        (parts, whole) => ({
          ...whole,
          MultipartUpload: {
            Parts: parts.map(({ ETag, PartNumber }) => ({ ETag, PartNumber })),
          },
        }),
        "InvalidRequest",
      ],
      [
        "a part's checksum is another one",
        (parts, whole) => ({
          ...whole,
          MultipartUpload: {
            Parts: parts.map((part) => ({ ...part, ChecksumSHA256: hash("sha256", "", "base64") })),
          },
        }),
        "InvalidPart",
      ],
    ];
    for (const [what, complete, code] of WRONG) {
      it(`refuse to be completed where ${what}`, async () => {
        const refusal = await failure(upload("sha256", undefined, complete));
        expect(refusal).to.include({ name: code, status: 400 });
      });
    }

    it("refuse a part's checksum of another algorithm", async () => {
      const { UploadId } = await send(
        new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm: "SHA1" }),
      );
      const part = new UploadPartCommand({
        ...object,
        UploadId,
        PartNumber: 1,
        Body: "x",
        ChecksumAlgorithm: "CRC32",
      });
      expect((await failure(send(part))).name).to.equal("InvalidRequest");
    });
  });

  it("are computed for a copy that asks for another one", async () => {
    const Body = randomBytes(300_000);
    await send(new PutObjectCommand({ Bucket, Key: "a", Body }));
    const { CopyObjectResult } = await send(
      new CopyObjectCommand({
        Bucket,
        Key: "b",
        CopySource: "files/a",
        ChecksumAlgorithm: "SHA256",
      }),
    );
    const head = await send(new HeadObjectCommand({ Bucket, Key: "b", ChecksumMode: "ENABLED" }));
    for (const { ChecksumSHA256 } of [CopyObjectResult ?? {}, head]) {
      expect(ChecksumSHA256).to.equal(hash("sha256", Body, "base64"));
    }
  });

  it("stay with a copy", async () => {
    await send(
      new PutObjectCommand({ Bucket, Key: "a", Body: "x", ChecksumAlgorithm: "CRC64NVME" }),
    );
    await send(new CopyObjectCommand({ Bucket, Key: "b", CopySource: "files/a" }));
    const head = await send(new HeadObjectCommand({ Bucket, Key: "b", ChecksumMode: "ENABLED" }));
    expect(head.ChecksumCRC64NVME).to.equal(
      digestOf("crc64nvme", Buffer.from("x")).toString("base64"),
    );
  });
});
