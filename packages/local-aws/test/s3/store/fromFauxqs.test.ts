import { mkdtempSync, rmSync, statSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import type { BuildAppOptions } from "fauxqs" with { "resolution-mode": "import" };
import { createFauxqs } from "../../../fauxqs/fauxqs";
import { importFromFauxqs } from "../../../s3/store/fromFauxqs";
import { createObjectStore } from "../../../s3/store/objectStore";
import { createSqs } from "../../../sqs/engine";

type S3Store = NonNullable<BuildAppOptions["stores"]>["s3Store"];
type Persistence = NonNullable<S3Store["persistence"]> & { close(): void };

const BUCKET = "files";
const PART = Buffer.alloc(5 << 20, "p");
const DESCRIPTION = {
  contentLanguage: "de",
  contentDisposition: "inline",
  cacheControl: "no-cache",
  contentEncoding: "gzip",
};

/** One of fauxqs's own files, which the package does not export. */
async function load<Module>(file: string): Promise<Module> {
  const folder = dirname(findPackageJSON("fauxqs", __filename) ?? "");
  return (await import(pathToFileURL(join(folder, "dist", file)).href)) as Module;
}

/** A folder as runs with fauxqs's S3 have left it. */
async function makeOldFolder(dataDir: string) {
  const fauxqs = await createFauxqs({ baseUrl: "http://127.0.0.1:1", dataDir });
  const sqs = createSqs({ fauxqs });
  const { arn } = sqs.createQueue("failures");
  await sqs.sendMessage(arn, "kept");
  await fauxqs.close();

  const s3 = await load<{ S3Store: new () => S3Store }>("s3/s3Store.js");
  const { PersistenceManager } = await load<{
    PersistenceManager: new (dataDir: string) => Persistence;
  }>("persistence.js");
  const s3Store = new s3.S3Store();
  const persistence = new PersistenceManager(dataDir);
  s3Store.persistence = persistence;
  s3Store.createBucket(BUCKET);
  s3Store.createBucket("another");
  s3Store.putBucketLifecycleConfiguration(BUCKET, "<LifecycleConfiguration/>");
  const body = Buffer.from("content");
  const checksum = { algorithm: "CRC32", value: "abcd", type: "FULL_OBJECT" } as const;
  const metadata = { owner: "me" };
  s3Store.putObject(BUCKET, "a//../ü", body, "text/plain", metadata, DESCRIPTION, checksum);
  s3Store.putObject(BUCKET, "empty", Buffer.alloc(0), "text/plain");
  const create = (key: string) =>
    s3Store.createMultipartUpload(BUCKET, key, "text/plain", metadata, DESCRIPTION, "CRC32");
  const complete = create("parts");
  const first = s3Store.uploadPart(complete, 2, PART, "AAAAAA==");
  const last = s3Store.uploadPart(complete, 4, Buffer.from("end"), "AAAAAQ==");
  const parts = [
    { partNumber: 2, etag: first.etag },
    { partNumber: 4, etag: last.etag },
  ];
  s3Store.completeMultipartUpload(complete, parts);
  const uploadId = create("open");
  s3Store.uploadPart(uploadId, 1, Buffer.from("part"));
  const objects = s3Store.listObjects(BUCKET).objects;
  persistence.close();
  return { objects, uploadId, queueArn: arn };
}

describe("a data folder of fauxqs's S3", () => {
  let dataDir: string;
  const open = () => createObjectStore({ folder: join(dataDir, "objects") });
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), "from-fauxqs-"));
  });
  afterEach(() => {
    rmSync(dataDir, { recursive: true });
  });

  it("is migrated once, with all properties of its objects", async () => {
    const { objects, uploadId, queueArn } = await makeOldFolder(dataDir);
    const multipart = objects.find(({ key }) => key === "parts");
    let store = open();
    expect(await importFromFauxqs(dataDir, store)).to.equal(3);
    await store.close();
    store = open();

    const listed = store.list(BUCKET).objects;
    expect(listed).to.deep.equal(
      objects.map(({ key, contentLength, etag, lastModified }) => ({
        key,
        size: contentLength,
        eTag: etag.replaceAll('"', ""),
        lastModified,
        storageClass: "STANDARD",
      })),
    );
    const headers = {
      "content-type": "text/plain",
      "cache-control": "no-cache",
      "content-disposition": "inline",
      "content-encoding": "gzip",
      "content-language": "de",
      "x-amz-meta-owner": "me",
    };
    const content = store.get(BUCKET, "a//../ü");
    expect(content.object).to.deep.include({
      headers,
      checksums: { type: "FULL_OBJECT", values: { CRC32: "abcd" } },
    });
    expect(content.read().toString()).to.equal("content");
    expect(store.get(BUCKET, "parts").object).to.deep.include({
      headers,
      checksums: { type: "COMPOSITE", values: { CRC32: multipart?.checksumValue } },
      parts: [
        { number: 2, size: PART.length, checksums: { CRC32: "AAAAAA==" } },
        { number: 4, size: 3, checksums: { CRC32: "AAAAAQ==" } },
      ],
    });
    const whole = store.get(BUCKET, "parts").read();
    expect(whole.equals(Buffer.concat([PART, Buffer.from("end")]))).to.equal(true);

    expect(store.listBuckets().map(({ name }) => name)).to.deep.equal(["another", BUCKET]);
    expect(store.lifecycleOf(BUCKET)).to.equal("<LifecycleConfiguration/>");
    const address = { bucket: BUCKET, key: "open", uploadId };
    expect(store.listUploads(BUCKET).uploads.map((each) => each.uploadId)).to.deep.equal([
      uploadId,
    ]);
    expect(store.completeUpload(address, store.listParts(address).parts).size).to.equal(4);

    store.delete(BUCKET, "empty");
    expect(await importFromFauxqs(dataDir, store)).to.equal(0);
    expect(store.list(BUCKET).objects.map(({ key }) => key)).to.not.include("empty");
    expect(statSync(join(dataDir, "fauxqs.db")).size).to.be.lessThan(1 << 20);
    await store.close();

    const fauxqs = await createFauxqs({ baseUrl: "http://127.0.0.1:1", dataDir });
    expect(
      createSqs({ fauxqs })
        .messages(queueArn)
        .map(({ body }) => body),
    ).to.deep.equal(["kept"]);
    await fauxqs.close();
  });

  it("is migrated from the start after a crash in between", async () => {
    await makeOldFolder(dataDir);
    const store = open();
    const failing = {
      ...store,
      completeUpload: () => {
        throw new Error("crash");
      },
    };
    let failed = false;
    await importFromFauxqs(dataDir, failing).catch(() => (failed = true));
    expect(failed).to.equal(true);
    expect(await importFromFauxqs(dataDir, store)).to.equal(3);
    expect(store.list(BUCKET).objects).to.have.lengthOf(3);
    expect(store.listUploads(BUCKET).uploads).to.have.lengthOf(1);
    await store.close();
  });

  it("may be missing", async () => {
    const store = open();
    expect(await importFromFauxqs(dataDir, store)).to.equal(0);
    await store.close();
  });
});
