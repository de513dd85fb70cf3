import { createHash, randomUUID } from "node:crypto";
import { existsSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { ObjectStore } from "../../../s3/store/objectStore";
import { BUCKET, errorCode, openScene, PLAIN, type Scene, text } from "./fixtures";

const md5 = (content: string) => createHash("md5").update(content).digest("hex");

describe("the object store", () => {
  let scene: Scene;
  let store: ObjectStore;
  beforeEach(() => {
    scene = openScene();
    store = scene.store;
  });
  afterEach(() => scene.close());

  const put = (key: string, content: string) => store.put(BUCKET, key, Buffer.from(content), PLAIN);
  const read = (key: string) => store.get(BUCKET, key).read().toString();

  it("returns what was put, also after reopening", async () => {
    const description = {
      headers: {
        "content-type": "text/plain",
        "cache-control": "no-cache",
        "content-disposition": 'attachment; filename="ü.txt"',
        "content-encoding": "gzip",
        "content-language": "de",
        expires: "Thu, 01 Dec 2033 16:00:00 GMT",
        "x-amz-meta-owner": "me",
      },
      checksums: { type: "FULL_OBJECT" as const, values: { CRC32: "AAAAAA==" } },
      tags: { a: "b" },
    };
    const key = "a b//../ünï%2F";
    const stored = store.put(BUCKET, key, Buffer.from("content"), description);

    expect(stored).to.deep.include({ key, size: 7, eTag: md5("content"), ...description });
    expect(Math.abs(Date.now() - stored.lastModified.getTime())).to.be.lessThan(60_000);
    for (const each of [store, await scene.reopen()]) {
      expect(each.head(BUCKET, key)).to.deep.equal(stored);
      expect(each.get(BUCKET, key).read().toString()).to.equal("content");
    }
  });

  it("reads and streams ranges", async () => {
    put("key", "0123456789");
    const content = store.get(BUCKET, "key");
    expect(content.read(2, 5).toString()).to.equal("234");
    expect(await text(content.stream(2, 5))).to.equal("234");
    expect(await text(content.stream())).to.equal("0123456789");
    put("empty", "");
    expect(read("empty")).to.equal("");
    expect(await text(store.get(BUCKET, "empty").stream())).to.equal("");
  });

  it("moves a spooled file into place", () => {
    const file = join(store.spoolFolder, randomUUID());
    writeFileSync(file, "spooled");
    const body = { file, bytes: 7, md5: md5("spooled") };
    expect(store.put(BUCKET, "key", body, PLAIN)).to.include({ size: 7, eTag: md5("spooled") });
    expect(existsSync(file)).to.equal(false);
    expect(read("key")).to.equal("spooled");
  });

  it("leaves a spooled file to the caller if it is refused", async () => {
    const file = join(store.spoolFolder, randomUUID());
    writeFileSync(file, "spooled");
    const body = { file, bytes: 7, md5: md5("spooled") };
    put("key", "there");
    const write = () => store.put(BUCKET, "key", body, PLAIN, { ifNoneMatch: "*" });
    expect(await errorCode(write)).to.equal("PreconditionFailed");
    expect(existsSync(file)).to.equal(true);
    expect(read("key")).to.equal("there");
  });

  it("keeps one file for each object", async () => {
    put("key", "old");
    put("key", "new");
    put("gone", "x");
    expect(store.delete(BUCKET, "gone")).to.equal(true);
    expect(store.delete(BUCKET, "gone")).to.equal(false);
    expect(await errorCode(() => read("gone"))).to.equal("NoSuchKey");
    await scene.reopen();
    expect(scene.files()).to.deep.equal([scene.store.head(BUCKET, "key").sequencer]);
  });

  it("fails at once where a file is missing", () => {
    const { folder } = scene;
    store.put(BUCKET, "key", Buffer.from("content"), PLAIN);
    const content = store.get(BUCKET, "key");
    rmSync(join(folder, "files"), { recursive: true });
    expect(() => content.read()).to.throw("ENOENT");
    expect(() => content.stream()).to.throw("ENOENT");
  });

  it("streams an object to its end while it is replaced and deleted", async () => {
    put("key", "old content");
    const content = store.get(BUCKET, "key");
    const streams = [content.stream(), content.stream(4)];
    put("key", "new");
    expect(await errorCode(() => content.read())).to.equal("NoSuchKey");
    expect(await errorCode(() => content.stream())).to.equal("NoSuchKey");
    store.delete(BUCKET, "key");
    expect(await Promise.all(streams.map(text))).to.deep.equal(["old content", "content"]);
    await scene.store.close();
    expect(scene.files()).to.deep.equal([]);
    scene.open();
  });

  it("numbers writes in ascending order, also after reopening", async () => {
    const numbers = [put("b", "1"), put("a", "2"), put("b", "3")].map((each) => each.sequencer);
    store.delete(BUCKET, "b");
    store = await scene.reopen();
    numbers.push(put("c", "4").sequencer);
    expect(numbers.toSorted()).to.deep.equal(numbers);
    expect(new Set(numbers.map((each) => each.length))).to.deep.equal(new Set([18]));
  });

  it("decides conditional writes and deletes", async () => {
    const { eTag } = put("key", "there");
    const write = (key: string, conditions: object) => () =>
      store.put(BUCKET, key, Buffer.from("new"), PLAIN, conditions);
    const remove = (key: string, ifMatch: string) => () => store.delete(BUCKET, key, ifMatch);

    expect(await errorCode(write("key", { ifNoneMatch: "*" }))).to.equal("PreconditionFailed");
    expect(await errorCode(write("key", { ifNoneMatch: eTag }))).to.equal("NotImplemented");
    expect(await errorCode(write("key", { ifMatch: md5("x") }))).to.equal("PreconditionFailed");
    expect(await errorCode(write("other", { ifMatch: eTag }))).to.equal("NoSuchKey");
    expect(await errorCode(remove("key", md5("x")))).to.equal("PreconditionFailed");
    expect(await errorCode(remove("other", "*"))).to.equal("NoSuchKey");
    expect(read("key")).to.equal("there");

    expect(await errorCode(write("other", { ifNoneMatch: "*" }))).to.equal("none");
    expect(await errorCode(write("key", { ifMatch: `"${eTag}"` }))).to.equal("none");
    expect(await errorCode(remove("key", `"${md5("new")}"`))).to.equal("none");
    expect(await errorCode(remove("other", "*"))).to.equal("none");
  });

  it("copies, with the description of the source or another one", async () => {
    const source = { bucket: BUCKET, key: "source" };
    const original = put("source", "content");
    const plain = await store.copy(source, { bucket: BUCKET, key: "copy" });
    expect(plain).to.include({ eTag: original.eTag, size: 7 });
    expect(plain.headers).to.deep.equal(PLAIN.headers);
    const described = { headers: { "content-type": "image/png" } };
    await store.copy(source, source, described);
    store.delete(BUCKET, "copy");
    await scene.reopen();
    expect(scene.store.head(BUCKET, "source")).to.deep.include(described);
    expect(scene.store.get(BUCKET, "source").read().toString()).to.equal("content");
    const missing = { bucket: BUCKET, key: "missing" };
    expect(await errorCode(() => scene.store.copy(missing, source))).to.equal("NoSuchKey");
    const onto = () => scene.store.copy(source, source, undefined, { ifNoneMatch: "*" });
    expect(await errorCode(onto)).to.equal("PreconditionFailed");
  });

  it("changes tags and nothing else", async () => {
    const before = put("key", "content");
    store.setTags(BUCKET, "key", { a: "1" });
    const { tags, ...rest } = (await scene.reopen()).head(BUCKET, "key");
    expect(tags).to.deep.equal({ a: "1" });
    expect(rest).to.deep.equal(before);
    expect(scene.store.get(BUCKET, "key").read().toString()).to.equal("content");
  });

  it("has folders and files that only their owner can read", () => {
    put("key", "content");
    const mode = (name: string) => statSync(join(scene.folder, name)).mode & 0o777;
    expect(["files", "spool"].map(mode)).to.deep.equal([0o700, 0o700]);
    expect(["journal", `files/${scene.files()[0]}`].map(mode)).to.deep.equal([0o600, 0o600]);
  });
});

describe("buckets of the object store", () => {
  let scene: Scene;
  beforeEach(() => {
    scene = openScene();
  });
  afterEach(() => scene.close());

  it("are made once, listed by name, and kept", async () => {
    const created = new Date(1_700_000_000_000);
    expect(scene.store.createBucket("another", created)).to.equal(true);
    expect(scene.store.createBucket("another")).to.equal(false);
    const store = await scene.reopen();
    expect(store.hasBucket("another")).to.equal(true);
    expect(store.listBuckets().map(({ name }) => name)).to.deep.equal(["another", BUCKET]);
    expect(store.listBuckets()[0]?.created).to.deep.equal(created);
  });

  it("have valid names", async () => {
    const code = (name: string) => errorCode(() => scene.store.createBucket(name));
    for (const name of ["ab", "A-b", "a..b", "a.-b", "a-.b", "-ab", "1.2.3.4", "a".repeat(64)]) {
      expect(await code(name), name).to.equal("InvalidBucketName");
    }
    for (const name of ["abc", "a.b", "a--b", "1.2.3.4.5", "a".repeat(63)]) {
      expect(await code(name), name).to.equal("none");
    }
  });

  it("are deleted only when they are empty", async () => {
    const { store } = scene;
    store.put(BUCKET, "key", Buffer.from(""), PLAIN);
    const upload = store.createUpload({ bucket: BUCKET, key: "key", ...PLAIN });
    expect(
      await errorCode(() => {
        store.deleteBucket(BUCKET);
      }),
    ).to.equal("BucketNotEmpty");
    store.delete(BUCKET, "key");
    expect(
      await errorCode(() => {
        store.deleteBucket(BUCKET);
      }),
    ).to.equal("BucketNotEmpty");
    store.abortUpload(upload);
    store.deleteBucket(BUCKET);
    expect((await scene.reopen()).hasBucket(BUCKET)).to.equal(false);
    for (const call of [
      () => {
        scene.store.deleteBucket(BUCKET);
      },
      () => scene.store.list(BUCKET),
      () => scene.store.head(BUCKET, "key"),
      () => scene.store.put(BUCKET, "key", Buffer.from(""), PLAIN),
      () => scene.store.createUpload({ bucket: BUCKET, key: "key", ...PLAIN }),
    ]) {
      expect(await errorCode(call)).to.equal("NoSuchBucket");
    }
  });

  it("keep a lifecycle configuration", async () => {
    const code = () => errorCode(() => scene.store.lifecycleOf(BUCKET));
    expect(await code()).to.equal("NoSuchLifecycleConfiguration");
    scene.store.setLifecycle(BUCKET, "<LifecycleConfiguration/>");
    const store = await scene.reopen();
    expect(store.lifecycleOf(BUCKET)).to.equal("<LifecycleConfiguration/>");
    store.setLifecycle(BUCKET, undefined);
    expect(await code()).to.equal("NoSuchLifecycleConfiguration");
  });
});
