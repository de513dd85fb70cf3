import { ListPartsCommand, S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { isTransient } from "../../../runtime/awsErrors";
import {
  abortMultipart,
  completedETag,
  completeMultipart,
  listParts,
  locationOf,
  signPart,
} from "../../../runtime/multipart/uploads";

const UPLOAD = { bucket: "a-bucket", key: "signed/a b.txt", uploadId: "an-upload" };

/** A client whose calls this function answers. */
function answering(send: (command: { input: object }) => unknown): S3Client {
  return {
    send: async (command: { input: object }) => Promise.resolve(send(command)),
  } as unknown as S3Client;
}

function failing(name: string): S3Client {
  return answering(() => {
    throw Object.assign(new Error(`S3 says ${name}`), { name });
  });
}

async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "";
  } catch (error) {
    const { statusCode, code } = error as { statusCode?: number; code?: string };
    return `${String(statusCode)} ${String(code)}`;
  }
}

describe("listParts", () => {
  it("follows S3's pages to the last", async () => {
    const COUNT = 2500;
    const s3 = answering(({ input }) => {
      const { PartNumberMarker = "0" } = input as ListPartsCommand["input"];
      const from = Number(PartNumberMarker);
      const to = Math.min(from + 1000, COUNT);
      return {
        Parts: Array.from({ length: to - from }, (_, index) => ({
          PartNumber: from + index + 1,
          Size: 5,
          ETag: '"ab"',
        })),
        IsTruncated: to < COUNT,
        NextPartNumberMarker: String(to),
      };
    });

    const parts = await listParts(s3, UPLOAD);

    expect(parts.map(({ PartNumber }) => PartNumber)).to.deep.equal(
      Array.from({ length: COUNT }, (_, index) => index + 1),
    );
    expect(parts[0]).to.deep.equal({ PartNumber: 1, Size: 5, ETag: "ab" });
  });

  it("refuses an upload that S3 does not have", async () => {
    expect(await refusal(listParts(failing("NoSuchUpload"), UPLOAD))).to.equal(
      "404 upload_not_found",
    );
  });
});

describe("completeMultipart", () => {
  const parts = [{ PartNumber: 1, ETag: "ab" }];

  it("writes once, with all that is known of the file", async () => {
    const sent: object[] = [];
    const s3 = answering(({ input }) => {
      sent.push(input);
      return { ETag: '"cd-1"', ChecksumCRC64NVME: "a" };
    });

    const object = await completeMultipart(s3, UPLOAD, { parts, size: 7, checksum: "a" });

    expect(object).to.deep.equal({ eTag: "cd-1", checksum: "a" });
    expect(sent).to.deep.equal([
      {
        Bucket: "a-bucket",
        Key: "signed/a b.txt",
        UploadId: "an-upload",
        IfNoneMatch: "*",
        MpuObjectSize: 7,
        ChecksumType: "FULL_OBJECT",
        ChecksumCRC64NVME: "a",
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag: '"ab"' }] },
      },
    ]);
  });

  const refusals = {
    NoSuchUpload: "404 upload_not_found",
    PreconditionFailed: "409 upload_completed",
    InvalidPart: "400 invalid_part",
    InvalidPartOrder: "400 invalid_part_order",
    EntityTooSmall: "400 part_too_small",
    EntityTooLarge: "413 too_large",
    BadDigest: "400 checksum_mismatch",
    InvalidRequest: "400 invalid_upload",
  };
  for (const [name, code] of Object.entries(refusals)) {
    it(`answers S3's ${name} with ${code}`, async () => {
      expect(await refusal(completeMultipart(failing(name), UPLOAD, { parts }))).to.equal(code);
    });
  }

  it("fails for a while where S3 takes too long", async () => {
    const failed: unknown = await completeMultipart(failing("AbortError"), UPLOAD, { parts }).catch(
      (error: unknown) => error,
    );
    expect(isTransient(failed)).to.equal(true);
  });

  it("passes on what may succeed later", async () => {
    for (const name of ["SlowDown", "ConditionalRequestConflict", "InternalError"]) {
      expect(await refusal(completeMultipart(failing(name), UPLOAD, { parts }))).to.equal(
        "undefined undefined",
      );
    }
  });
});

describe("abortMultipart", () => {
  it("is done where the upload is gone", async () => {
    expect(await refusal(abortMultipart(failing("NoSuchUpload"), UPLOAD))).to.equal("");
    expect(await refusal(abortMultipart(failing("AccessDenied"), UPLOAD))).to.not.equal("");
  });
});

describe("signPart", () => {
  const s3 = new S3Client({
    region: "eu-west-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
    requestChecksumCalculation: "WHEN_REQUIRED",
  });

  it("signs the length where it is known, and demands no other header", async () => {
    for (const [size, headers] of [
      [undefined, "host"],
      [5, "content-length;host"],
    ] as const) {
      const { url, expires_at } = await signPart(s3, UPLOAD, { partNumber: 3, size });
      const query = Object.fromEntries(new URL(url).searchParams);
      expect(query).to.include({
        partNumber: "3",
        uploadId: "an-upload",
        "X-Amz-Expires": "900",
        "X-Amz-SignedHeaders": headers,
      });
      expect(Object.keys(query).filter((name) => /checksum|^content/i.test(name))).to.deep.equal(
        [],
      );
      expect(Date.parse(expires_at)).to.be.above(Date.now());
    }
  });

  it("is for the place that locationOf tells", async () => {
    expect(await locationOf(s3, UPLOAD)).to.equal(
      "https://a-bucket.s3.eu-west-1.amazonaws.com/signed/a%20b.txt",
    );
  });
});

describe("completedETag", () => {
  it("is the MD5 of the parts' MD5s, with their number", () => {
    const ETag = "d41d8cd98f00b204e9800998ecf8427e";
    expect(completedETag([{ PartNumber: 1, ETag }])).to.equal("59adb24ef3cdbe0297f05b395827453f-1");
  });
});
