import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { type Harness, startS3 } from "../harness";
import { elementsOf, type RawAnswer, send } from "./raw";

const Bucket = "files";
const FIRST = Buffer.alloc(5 << 20, "first ");
const LAST = Buffer.from("the last part");

describe("reading an S3 object", () => {
  let harness: Harness;
  let eTag: string;
  before(async () => {
    harness = await startS3();
    const { client } = harness;
    const put = new PutObjectCommand({ Bucket, Key: "whole", Body: "0123456789" });
    eTag = (await client.send(put)).ETag ?? "";
    await client.send(new PutObjectCommand({ Bucket, Key: "empty", Body: "" }));
    const upload = { Bucket, Key: "parts" };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(upload));
    const Parts = [];
    for (const [PartNumber, Body] of [
      [3, FIRST],
      [7, LAST],
    ] as const) {
      const part = { ...upload, UploadId, PartNumber, Body };
      const { ETag } = await client.send(new UploadPartCommand(part));
      Parts.push({ PartNumber, ETag });
    }
    const complete = { ...upload, UploadId, MultipartUpload: { Parts } };
    await client.send(new CompleteMultipartUploadCommand(complete));
  });
  after(() => harness.close());

  const both = async (
    path: string,
    headers: Record<string, string> = {},
  ): Promise<[get: RawAnswer, head: RawAnswer]> => {
    const url = `${harness.url}/files/${path}`;
    return [await send(url, { headers }), await send(url, { method: "HEAD", headers })];
  };

  const parts: [number: number, content: Buffer, range: string][] = [
    [1, FIRST, `bytes 0-${FIRST.length - 1}/${FIRST.length + LAST.length}`],
    [
      2,
      LAST,
      `bytes ${FIRST.length}-${FIRST.length + LAST.length - 1}/${FIRST.length + LAST.length}`,
    ],
  ];
  for (const [number, content, range] of parts) {
    it(`gives part ${number}, counted from 1, with its range and the number of parts`, async () => {
      const answers = await both(`parts?partNumber=${number}`);

      for (const { status, headers } of answers) {
        expect(status).to.equal(206);
        expect(headers).to.include({
          "content-range": range,
          "content-length": String(content.length),
          "x-amz-mp-parts-count": "2",
        });
      }
      expect(answers[0].body.equals(content)).to.equal(true);
    });
  }

  it("names the number of parts only to those who ask for one", async () => {
    for (const { status, headers } of await both("parts")) {
      expect(status).to.equal(200);
      expect(headers).not.to.have.property("x-amz-mp-parts-count");
    }
  });

  it("takes an object that came whole for its own first part", async () => {
    const answers = await both("whole?partNumber=1");
    for (const { status, headers } of answers) {
      expect(status).to.equal(206);
      expect(headers["content-range"]).to.equal("bytes 0-9/10");
      expect(headers).not.to.have.property("x-amz-mp-parts-count");
    }
    expect(answers[0].body.toString()).to.equal("0123456789");
    expect((await both("empty?partNumber=1"))[0].status).to.equal(200);
  });

  const wrongParts: [path: string, status: number, code: string][] = [
    ["parts?partNumber=3", 416, "InvalidPartNumber"],
    ["whole?partNumber=2", 416, "InvalidPartNumber"],
    ["parts?partNumber=0", 400, "InvalidArgument"],
    ["parts?partNumber=10001", 400, "InvalidArgument"],
    ["parts?partNumber=x", 400, "InvalidArgument"],
  ];
  for (const [path, status, code] of wrongParts) {
    it(`answers ${status} ${code} to ${path}`, async () => {
      const [get, head] = await both(path);
      expect([get.status, head.status]).to.deep.equal([status, status]);
      expect(elementsOf(get).Code).to.equal(code);
    });
  }

  it("refuses a part and a range at once", async () => {
    const [get] = await both("parts?partNumber=1", { range: "bytes=0-1" });
    expect(get.status).to.equal(400);
  });

  it("gives a range to HEAD as to GET", async () => {
    for (const { status, headers } of await both("whole", { range: "bytes=2-4" })) {
      expect(status).to.equal(206);
      expect(headers).to.include({ "content-range": "bytes 2-4/10", "content-length": "3" });
    }
    const statuses = (await both("whole", { range: "bytes=10-" })).map(({ status }) => status);
    expect(statuses).to.deep.equal([416, 416]);
  });

  const PAST = "Thu, 01 Jan 2015 00:00:00 GMT";
  const FUTURE = "Fri, 01 Jan 2088 00:00:00 GMT";
  const conditions: [what: string, headers: () => Record<string, string>, status: number][] = [
    ["If-Match with the ETag", () => ({ "if-match": eTag }), 200],
    ["If-Match with another ETag", () => ({ "if-match": '"x"' }), 412],
    ["If-None-Match with the ETag", () => ({ "if-none-match": eTag }), 304],
    ["If-None-Match with another ETag", () => ({ "if-none-match": '"x"' }), 200],
    ["If-Modified-Since before", () => ({ "if-modified-since": PAST }), 200],
    ["If-Modified-Since after", () => ({ "if-modified-since": FUTURE }), 304],
    ["If-Unmodified-Since before", () => ({ "if-unmodified-since": PAST }), 412],
    ["If-Unmodified-Since after", () => ({ "if-unmodified-since": FUTURE }), 200],
    [
      "If-Match that holds and If-Unmodified-Since that does not",
      () => ({ "if-match": eTag, "if-unmodified-since": PAST }),
      200,
    ],
    [
      "If-None-Match that fails and If-Modified-Since that holds",
      () => ({ "if-none-match": eTag, "if-modified-since": PAST }),
      304,
    ],
  ];
  for (const [what, headers, status] of conditions) {
    it(`answers ${status} to ${what}, on GET and HEAD`, async () => {
      const statuses = (await both("whole", headers())).map((answer) => answer.status);
      expect(statuses).to.deep.equal([status, status]);
    });
  }
});
