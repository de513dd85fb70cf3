import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateMultipartUploadCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { failure, type Harness, startS3 } from "../harness";

const Bucket = "files";
const PAST = new Date("2015-01-01");
const FUTURE = new Date("2088-01-01");

describe("copying an S3 object", () => {
  let harness: Harness;
  let eTag: string;
  before(async () => (harness = await startS3()));
  after(() => harness.close());
  beforeEach(async () => {
    const put = new PutObjectCommand({
      Bucket,
      Key: "source",
      Body: "content",
      ContentType: "text/plain",
      Metadata: { a: "1" },
      Tagging: "kind=source",
      StorageClass: "STANDARD_IA",
      WebsiteRedirectLocation: "/elsewhere",
    });
    eTag = (await harness.client.send(put)).ETag ?? "";
  });

  const copy = (input: Partial<CopyObjectCommandInput>) =>
    harness.client.send(
      new CopyObjectCommand({ Bucket, Key: "target", CopySource: "files/source", ...input }),
    );
  const head = (Key = "target") => harness.client.send(new HeadObjectCommand({ Bucket, Key }));
  const tags = async (Key = "target") =>
    (await harness.client.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet;

  it("keeps type, metadata and tags, but neither storage class nor redirect", async () => {
    await copy({});

    const target = await head();
    expect(target).to.deep.include({ ContentType: "text/plain", Metadata: { a: "1" } });
    expect(target.StorageClass).to.equal(undefined);
    expect(target.WebsiteRedirectLocation).to.equal(undefined);
    expect(await tags()).to.deep.equal([{ Key: "kind", Value: "source" }]);
  });

  it("replaces metadata and tags, each by its own directive", async () => {
    await copy({ MetadataDirective: "REPLACE", Metadata: { b: "2" }, Tagging: "ignored=1" });
    expect(await head()).to.deep.include({ Metadata: { b: "2" } });
    expect(await tags()).to.deep.equal([{ Key: "kind", Value: "source" }]);

    await copy({ TaggingDirective: "REPLACE", Tagging: "kind=copy", StorageClass: "ONEZONE_IA" });
    expect(await head()).to.deep.include({ Metadata: { a: "1" }, StorageClass: "ONEZONE_IA" });
    expect(await tags()).to.deep.equal([{ Key: "kind", Value: "copy" }]);
  });

  it("onto itself needs a change", async () => {
    const itself = { Key: "source" };
    const refusal = await failure(copy(itself));
    expect(refusal).to.include({ name: "InvalidRequest", status: 400 });
    expect(await head("source")).to.deep.include({ Metadata: { a: "1" } });

    await copy({ ...itself, StorageClass: "STANDARD" });
    expect((await head("source")).StorageClass).to.equal(undefined);
    await copy({ ...itself, MetadataDirective: "REPLACE", Metadata: { b: "2" } });
    expect(await head("source")).to.deep.include({ Metadata: { b: "2" } });
  });

  const conditions: [what: string, holds: boolean, input: () => Partial<CopyObjectCommandInput>][] =
    [
      ["the source's ETag", true, () => ({ CopySourceIfMatch: eTag })],
      ["another ETag", false, () => ({ CopySourceIfMatch: '"x"' })],
      ["not another ETag", true, () => ({ CopySourceIfNoneMatch: '"x"' })],
      ["not the source's ETag", false, () => ({ CopySourceIfNoneMatch: eTag })],
      ["modified since before", true, () => ({ CopySourceIfModifiedSince: PAST })],
      ["modified since after", false, () => ({ CopySourceIfModifiedSince: FUTURE })],
      ["unmodified since after", true, () => ({ CopySourceIfUnmodifiedSince: FUTURE })],
      ["unmodified since before", false, () => ({ CopySourceIfUnmodifiedSince: PAST })],
      [
        "the source's ETag, whatever the date",
        true,
        () => ({ CopySourceIfMatch: eTag, CopySourceIfUnmodifiedSince: PAST }),
      ],
    ];
  for (const [what, holds, input] of conditions) {
    it(`${holds ? "takes place" : "fails with 412"} on the condition: ${what}`, async () => {
      const { client } = harness;
      const upload = { Bucket, Key: "joined" };
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(upload));
      const part = { ...upload, UploadId, PartNumber: 1, CopySource: "files/source" };
      const copies = [
        copy(input()),
        client.send(new UploadPartCopyCommand({ ...part, ...input() })),
      ];

      for (const each of copies) {
        if (holds) {
          await each;
        } else {
          expect(await failure(each)).to.include({ name: "PreconditionFailed", status: 412 });
        }
      }
    });
  }

  it("joins copied parts", async () => {
    const { client } = harness;
    const upload = { Bucket, Key: "joined" };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(upload));
    const part = { ...upload, UploadId, PartNumber: 1, CopySource: "files/source" };
    const { CopyPartResult } = await client.send(new UploadPartCopyCommand(part));
    const Parts = [{ PartNumber: 1, ETag: CopyPartResult?.ETag }];
    const complete = { ...upload, UploadId, MultipartUpload: { Parts } };
    await client.send(new CompleteMultipartUploadCommand(complete));
    expect((await head("joined")).ContentLength).to.equal("content".length);
  });

  it("refuses unknown directives", async () => {
    const directive = { MetadataDirective: "MERGE" as "COPY" };
    expect((await failure(copy(directive))).name).to.equal("InvalidArgument");
  });
});
