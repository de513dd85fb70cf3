import { createHash } from "node:crypto";
import { expect } from "chai";
import type { ListedPart, UploadAddress } from "../../../s3/store/multipart";
import type { ObjectStore } from "../../../s3/store/objectStore";
import { BUCKET, errorCode, MIN_PART_SIZE, openScene, PLAIN, type Scene, text } from "./fixtures";

const LARGE = "x".repeat(MIN_PART_SIZE);

describe("a multipart upload of the object store", () => {
  let scene: Scene;
  let store: ObjectStore;
  let upload: UploadAddress;
  beforeEach(() => {
    scene = openScene();
    store = scene.store;
    upload = store.createUpload({ bucket: BUCKET, key: "key", ...PLAIN });
  });
  afterEach(() => scene.close());

  const putPart = (number: number, content: string): ListedPart =>
    store.putPart(upload, number, Buffer.from(content), { CRC32: `${number}` });
  const complete = (parts: ListedPart[]) => () => store.completeUpload(upload, parts);

  it("becomes an object of its parts, also after reopening in between", async () => {
    putPart(1, `1${LARGE}`);
    const third = putPart(3, "3");
    putPart(2, "replaced");
    store = await scene.reopen();
    const second = putPart(2, `2${LARGE}`);
    const { parts } = store.listParts(upload);
    expect(parts.map(({ number, size }) => [number, size])).to.deep.equal([
      [1, MIN_PART_SIZE + 1],
      [2, MIN_PART_SIZE + 1],
      [3, 1],
    ]);
    expect(parts.slice(1)).to.deep.equal([second, third]);

    const checksums = { type: "COMPOSITE" as const, values: { CRC32: "abc-3" } };
    const object = store.completeUpload(upload, parts, { checksums });
    const digests = parts.map(({ eTag }) => Buffer.from(eTag, "hex"));
    const digest = createHash("md5").update(Buffer.concat(digests)).digest("hex");
    expect(object).to.deep.include({ ...PLAIN, eTag: `${digest}-3`, size: 23, checksums });
    expect(object.parts).to.deep.equal([
      { number: 1, size: 11, checksums: { CRC32: "1" } },
      { number: 2, size: 11, checksums: { CRC32: "2" } },
      { number: 3, size: 1, checksums: { CRC32: "3" } },
    ]);
    expect(await errorCode(() => store.listParts(upload))).to.equal("NoSuchUpload");

    store = await scene.reopen();
    const content = store.get(BUCKET, "key");
    expect(content.object).to.deep.equal(object);
    expect(content.read().toString()).to.equal(`1${LARGE}2${LARGE}3`);
    expect(content.read(10, 13).toString()).to.equal("x2x");
    expect(await text(content.stream(5, 23))).to.equal(`xxxxxx2${LARGE}3`);
    expect(scene.files()).to.have.lengthOf(3);
  });

  it("drops the parts that are left out, and an object's parts with the object", async () => {
    putPart(1, "unused");
    complete([putPart(2, "used")])();
    await scene.reopen();
    expect(scene.files()).to.have.lengthOf(1);
    scene.store.delete(BUCKET, "key");
    await scene.reopen();
    expect(scene.files()).to.deep.equal([]);
  });

  it("refuses parts that are not there, out of order or too small", async () => {
    const parts = [putPart(1, LARGE), putPart(2, LARGE), putPart(3, "small")];
    const [first, second, third] = parts as [ListedPart, ListedPart, ListedPart];
    expect(await errorCode(complete([]))).to.equal("MalformedXML");
    expect(await errorCode(complete([second, first]))).to.equal("InvalidPartOrder");
    expect(await errorCode(complete([first, first]))).to.equal("InvalidPartOrder");
    expect(await errorCode(complete([{ ...first, number: 4 }]))).to.equal("InvalidPart");
    expect(await errorCode(complete([{ ...first, eTag: third.eTag }]))).to.equal("InvalidPart");
    expect(await errorCode(complete([{ ...first, checksums: { CRC32: "2" } }]))).to.equal(
      "InvalidPart",
    );
    const fourth = putPart(4, "last");
    expect(await errorCode(complete([first, third, fourth]))).to.equal("EntityTooSmall");
    expect(await errorCode(complete([first, { ...third, eTag: `"${third.eTag}"` }]))).to.equal(
      "none",
    );
  });

  it("accepts part numbers from 1 to 10000, for its own key only", async () => {
    for (const number of [0, 10_001, 1.5, Number.NaN]) {
      expect(await errorCode(() => putPart(number, "x"))).to.equal("InvalidArgument");
    }
    putPart(10_000, "x");
    const body = Buffer.from("x");
    for (const other of [{ uploadId: "x" }, { key: "other" }, { bucket: "other" }]) {
      const address = { ...upload, ...other };
      expect(await errorCode(() => store.putPart(address, 1, body))).to.equal("NoSuchUpload");
      expect(
        await errorCode(() => {
          store.abortUpload(address);
        }),
      ).to.equal("NoSuchUpload");
    }
  });

  it("is conditional when it completes", async () => {
    store.put(BUCKET, "key", Buffer.from("there"), PLAIN);
    const parts = [putPart(1, "new")];
    const write = () => store.completeUpload(upload, parts, { ifNoneMatch: "*" });
    expect(await errorCode(write)).to.equal("PreconditionFailed");
    store.delete(BUCKET, "key");
    expect(await errorCode(write)).to.equal("none");
  });

  it("can be aborted", async () => {
    putPart(1, "x");
    store.abortUpload(upload);
    expect(await errorCode(() => putPart(1, "x"))).to.equal("NoSuchUpload");
    await scene.reopen();
    expect(scene.files()).to.deep.equal([]);
    expect(scene.store.listUploads(BUCKET).uploads).to.deep.equal([]);
  });

  it("copies parts from other objects", async () => {
    const source = { bucket: BUCKET, key: "source" };
    store.put(BUCKET, "source", Buffer.from("0123456789"), PLAIN);
    const whole = await store.copyPart(upload, 1, source);
    const range = await store.copyPart(upload, 2, { ...source, start: 2, end: 4 });
    expect(store.completeUpload(upload, [whole, range]).size).to.equal(12);
    expect(store.get(BUCKET, "key").read().toString()).to.equal("012345678923");
  });

  it("is joined in a copy, which has the ETag of its content", async () => {
    store.completeUpload(upload, [putPart(1, LARGE), putPart(2, "end")]);
    const copy = await store.copy({ bucket: BUCKET, key: "key" }, { bucket: BUCKET, key: "copy" });
    const eTag = createHash("md5").update(`${LARGE}end`).digest("hex");
    expect(copy).to.include({ size: 13, eTag });
    expect(copy.parts).to.equal(undefined);
    store.delete(BUCKET, "key");
    expect(store.get(BUCKET, "copy").read().toString()).to.equal(`${LARGE}end`);
  });

  it("lists its parts in pages", () => {
    for (const number of [3, 1, 2]) {
      putPart(number, "x");
    }
    const first = store.listParts(upload, { maxParts: 2 });
    expect(first.parts.map(({ number }) => number)).to.deep.equal([1, 2]);
    expect(first.isTruncated).to.equal(true);
    const second = store.listParts(upload, { after: 2, maxParts: 2 });
    expect(second.parts.map(({ number }) => number)).to.deep.equal([3]);
    expect(second.isTruncated).to.equal(false);
  });

  it("is listed with others by key, then by age", async () => {
    const create = (key: string) => store.createUpload({ bucket: BUCKET, key, ...PLAIN });
    const uploads = [upload, create("a"), create("key"), create("prefixed")];
    store = await scene.reopen();
    const ids = (page: Parameters<ObjectStore["listUploads"]>[1]) =>
      store
        .listUploads(BUCKET, page)
        .uploads.map(({ uploadId }) => uploads.findIndex((each) => each.uploadId === uploadId));
    expect(ids({})).to.deep.equal([1, 0, 2, 3]);
    expect(ids({ prefix: "p" })).to.deep.equal([3]);
    expect(ids({ maxUploads: 2 })).to.deep.equal([1, 0]);
    expect(ids({ after: upload })).to.deep.equal([2, 3]);
    expect(ids({ after: { key: "key" } })).to.deep.equal([3]);
    expect(store.listUploads(BUCKET, { maxUploads: 4 }).isTruncated).to.equal(false);
    expect(store.listUploads(BUCKET, { maxUploads: 3 }).isTruncated).to.equal(true);
  });
});
