import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { failure, type Harness, startS3 } from "../harness";
import { elementsOf, send } from "./raw";

const Bucket = "files";

describe("S3's lists", () => {
  let harness: Harness;
  beforeEach(async () => (harness = await startS3()));
  afterEach(() => harness.close());

  async function begin(Key: string, StorageClass?: "STANDARD_IA"): Promise<string> {
    const create = new CreateMultipartUploadCommand({ Bucket, Key, StorageClass });
    return (await harness.client.send(create)).UploadId ?? "";
  }
  const putAll = (keys: string[]) =>
    Promise.all(
      keys.map((Key) => harness.client.send(new PutObjectCommand({ Bucket, Key, Body: "" }))),
    );

  describe("of parts", () => {
    const list = (UploadId: string, page: object = {}) =>
      harness.client.send(new ListPartsCommand({ Bucket, Key: "a", UploadId, ...page }));

    it("has each with number, size and ETag, page by page", async () => {
      const UploadId = await begin("a", "STANDARD_IA");
      const eTags = [];
      for (const [PartNumber, Body] of [
        [2, "two"],
        [1, "one!"],
      ] as const) {
        const part = { Bucket, Key: "a", UploadId, PartNumber, Body };
        eTags.unshift((await harness.client.send(new UploadPartCommand(part))).ETag);
      }

      const all = await list(UploadId);
      expect(all).to.include({ IsTruncated: false, StorageClass: "STANDARD_IA", UploadId });
      expect(
        all.Parts?.map(({ PartNumber, Size, ETag }) => [PartNumber, Size, ETag]),
      ).to.deep.equal([
        [1, 4, eTags[0]],
        [2, 3, eTags[1]],
      ]);
      const first = await list(UploadId, { MaxParts: 1 });
      expect(first).to.include({ IsTruncated: true, NextPartNumberMarker: "1", MaxParts: 1 });
      const second = await list(UploadId, { PartNumberMarker: first.NextPartNumberMarker });
      expect(second.Parts?.map(({ PartNumber }) => PartNumber)).to.deep.equal([2]);
      expect(second.IsTruncated).to.equal(false);
    });

    it("is refused for an unknown upload, and for numbers that are none", async () => {
      expect((await failure(list("unknown"))).name).to.equal("NoSuchUpload");
      const UploadId = await begin("a");
      expect((await failure(list(UploadId, { PartNumberMarker: "x" }))).name).to.equal(
        "InvalidArgument",
      );
    });
  });

  describe("of uploads", () => {
    const list = (input: Partial<ListMultipartUploadsCommandInput> = {}) =>
      harness.client.send(new ListMultipartUploadsCommand({ Bucket, ...input }));
    const keysOf = ({ Uploads = [] }: Awaited<ReturnType<typeof list>>) =>
      Uploads.map(({ Key }) => Key);

    it("has those that are open, until they are aborted", async () => {
      const UploadId = await begin("a");
      const { Uploads } = await list();
      expect(Uploads).to.have.length(1);
      expect(Uploads?.[0]).to.deep.include({ Key: "a", UploadId, StorageClass: "STANDARD" });

      const abort = new AbortMultipartUploadCommand({ Bucket, Key: "a", UploadId });
      await harness.client.send(abort);
      expect((await list()).Uploads).to.equal(undefined);
    });

    it("joins keys under a delimiter, and goes on page by page", async () => {
      for (const key of ["a", "b/1", "b/2", "c", "c", "d/1"]) {
        await begin(key);
      }
      const found: (string | undefined)[] = [];
      let markers = {};
      for (let pages = 0; pages < 10; pages++) {
        const page = await list({ Delimiter: "/", MaxUploads: 1, ...markers });
        found.push(...keysOf(page), ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
        if (page.IsTruncated !== true) {
          break;
        }
        markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
      }
      expect(found).to.deep.equal(["a", "b/", "c", "c", "d/"]);
      expect(keysOf(await list({ Prefix: "b/" }))).to.deep.equal(["b/1", "b/2"]);
      expect(keysOf(await list({ KeyMarker: "b/2" }))).to.deep.equal(["c", "c", "d/1"]);
    });

    it("encodes keys on request", async () => {
      await begin("a b\u0001");
      const page = await list({ EncodingType: "url" });
      expect(keysOf(page)).to.deep.equal(["a%20b%01"]);
      expect((await failure(list({ EncodingType: "x" as "url" }))).name).to.equal(
        "InvalidArgument",
      );
    });
  });

  describe("of objects", () => {
    it("encode each name on request, so that XML can hold any key", async () => {
      const keys = ["\u0001/\u0002", "line\r\nbreak", "a (1)+ü"];
      await putAll(keys);
      const page = await harness.client.send(
        new ListObjectsV2Command({ Bucket, EncodingType: "url", StartAfter: "\u0000" }),
      );
      expect(page.Contents?.map(({ Key = "" }) => decodeURIComponent(Key))).to.have.members(keys);
      expect(page.StartAfter).to.equal("%00");
      const prefixes = new ListObjectsV2Command({ Bucket, EncodingType: "url", Delimiter: "/" });
      const { CommonPrefixes } = await harness.client.send(prefixes);
      expect(CommonPrefixes).to.deep.equal([{ Prefix: "%01/" }]);
    });

    it("keep carriage returns without it", async () => {
      await putAll(["line\r\nbreak"]);
      const { Contents } = await harness.client.send(new ListObjectsV2Command({ Bucket }));
      expect(Contents?.map(({ Key }) => Key)).to.deep.equal(["line\r\nbreak"]);
    });

    it("name owners: in V1 always, in V2 on request", async () => {
      await putAll(["a"]);
      const first = await harness.client.send(new ListObjectsCommand({ Bucket }));
      expect(first.Contents?.[0]?.Owner?.ID).to.be.a("string");
      const second = await harness.client.send(new ListObjectsV2Command({ Bucket }));
      expect(second.Contents?.[0]?.Owner).to.equal(undefined);
      const asked = new ListObjectsV2Command({ Bucket, FetchOwner: true });
      expect((await harness.client.send(asked)).Contents?.[0]?.Owner?.ID).to.be.a("string");
    });

    it("name storage classes", async () => {
      const put = { Bucket, Key: "a", Body: "", StorageClass: "GLACIER_IR" as const };
      await harness.client.send(new PutObjectCommand(put));
      const { Contents } = await harness.client.send(new ListObjectsV2Command({ Bucket }));
      expect(Contents?.[0]?.StorageClass).to.equal("GLACIER_IR");
    });

    it("have a next marker in V1 only with a delimiter", async () => {
      await putAll(["a", "b"]);
      const page = { Bucket, MaxKeys: 1 };
      const plain = await harness.client.send(new ListObjectsCommand(page));
      expect(plain).to.include({ IsTruncated: true });
      expect(plain.NextMarker).to.equal(undefined);
      const delimited = new ListObjectsCommand({ ...page, Delimiter: "/" });
      expect((await harness.client.send(delimited)).NextMarker).to.equal("a");
    });

    it("are empty and not truncated with max-keys=0, and refuse what is no number", async () => {
      await putAll(["a"]);
      for (const version of ["", "list-type=2&"]) {
        const empty = await send(`${harness.url}/files?${version}max-keys=0`);
        expect(elementsOf(empty)).to.include({ IsTruncated: "false", MaxKeys: "0" });
        for (const value of ["-1", "x", "1.5", "99999999999"]) {
          const refused = await send(`${harness.url}/files?${version}max-keys=${value}`);
          expect(refused.status, value).to.equal(400);
          expect(elementsOf(refused).Code).to.equal("InvalidArgument");
        }
      }
      const token = await send(`${harness.url}/files?list-type=2&continuation-token=no%20token`);
      expect(elementsOf(token).Code).to.equal("InvalidArgument");
    });
  });
});
