import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type Tag,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { failure, type Harness, startS3 } from "../harness";
import { elementsOf, send } from "./raw";

const object = { Bucket: "files", Key: "tagged" };

describe("the tags of an S3 object", () => {
  let harness: Harness;
  before(async () => (harness = await startS3()));
  after(() => harness.close());
  beforeEach(() => harness.client.send(new PutObjectCommand({ ...object, Body: "content" })));

  const read = async () =>
    (await harness.client.send(new GetObjectTaggingCommand(object))).TagSet ?? [];
  const write = (TagSet: Tag[]) =>
    harness.client.send(new PutObjectTaggingCommand({ ...object, Tagging: { TagSet } }));

  it("are none at first, then those that were put, and none once deleted", async () => {
    expect(await read()).to.deep.equal([]);

    const tags = [
      { Key: "kind", Value: "a + b" },
      { Key: "größe", Value: "" },
    ];
    await write(tags);
    expect(await read()).to.deep.equal(tags);
    const { TagCount, Body } = await harness.client.send(new GetObjectCommand(object));
    expect(TagCount).to.equal(2);
    expect(await Body?.transformToString()).to.equal("content");

    await harness.client.send(new DeleteObjectTaggingCommand(object));
    expect(await read()).to.deep.equal([]);
  });

  it("come with a put and with a multipart upload", async () => {
    const Tagging = "a=1&b=x%20y";
    const expected = [
      { Key: "a", Value: "1" },
      { Key: "b", Value: "x y" },
    ];
    await harness.client.send(new PutObjectCommand({ ...object, Body: "", Tagging }));
    expect(await read()).to.deep.equal(expected);

    await write([]);
    const { UploadId } = await harness.client.send(
      new CreateMultipartUploadCommand({ ...object, Tagging }),
    );
    const part = { ...object, UploadId, PartNumber: 1 };
    const { ETag } = await harness.client.send(new UploadPartCommand({ ...part, Body: "x" }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await harness.client.send(
      new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload }),
    );
    expect(await read()).to.deep.equal(expected);
  });

  const refused: [what: string, tags: Tag[], code: string][] = [
    [
      "more than ten",
      Array.from({ length: 11 }, (_, at) => ({ Key: `${at}`, Value: "" })),
      "BadRequest",
    ],
    [
      "one name twice",
      [
        { Key: "a", Value: "1" },
        { Key: "a", Value: "2" },
      ],
      "InvalidTag",
    ],
    ["a long name", [{ Key: "a".repeat(129), Value: "" }], "InvalidTag"],
    ["a long value", [{ Key: "a", Value: "b".repeat(257) }], "InvalidTag"],
    ["a character that no tag has", [{ Key: "a", Value: "b\u0007?<" }], "MalformedXML"],
    ["punctuation that no tag has", [{ Key: "a", Value: "?" }], "InvalidTag"],
    ["AWS's own", [{ Key: "aws:a", Value: "b" }], "InvalidTag"],
  ];
  for (const [what, tags, code] of refused) {
    it(`are refused: ${what}`, async () => {
      expect((await failure(write(tags))).name).to.equal(code);
      expect(await read()).to.deep.equal([]);
    });
  }

  it("are refused as MalformedXML in another form", async () => {
    for (const body of [
      "",
      "a=1",
      "<Tagging/>",
      "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
    ]) {
      const answer = await send(`${harness.url}/files/tagged?tagging`, { method: "PUT", body });
      expect(answer.status).to.equal(400);
      expect(elementsOf(answer).Code).to.equal("MalformedXML");
    }
  });

  it("need their object", async () => {
    const missing = new GetObjectTaggingCommand({ ...object, Key: "missing" });
    expect((await failure(harness.client.send(missing))).name).to.equal("NoSuchKey");
  });
});
