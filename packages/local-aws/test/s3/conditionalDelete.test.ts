import { DeleteObjectCommand, DeleteObjectsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { BUCKET, type BucketScene, OBJECTS, openBucket } from "./bucketScene";
import { failure } from "./harness";

const object = { Bucket: BUCKET, Key: "a key" };

describe("a conditional delete", () => {
  let scene: BucketScene;
  afterEach(() => scene.close());

  /** @returns the ETag of the object that is there */
  async function setUp(allowed: string[] = ["s3:DeleteObject", "s3:GetObject"]): Promise<string> {
    scene = await openBucket(allowed.map((action) => [action, OBJECTS]));
    const { ETag = "" } = await put("first");
    return ETag;
  }
  const put = (Body: string) => scene.operator.send(new PutObjectCommand({ ...object, Body }));
  const remove = (IfMatch?: string) =>
    scene.client.send(new DeleteObjectCommand({ ...object, IfMatch }));

  it("deletes the object that has this ETag, with quotes or without, or any with *", async () => {
    const eTag = await setUp();
    for (const ifMatch of [eTag, eTag.replaceAll('"', ""), "*"]) {
      await put("first");
      await remove(ifMatch);
      expect(await scene.keys()).to.deep.equal([]);
    }
  });

  it("keeps an object that has changed", async () => {
    const eTag = await setUp();
    await put("second");

    expect(await failure(remove(eTag))).to.include({ name: "PreconditionFailed", status: 412 });

    expect(await scene.read(object.Key)).to.equal("second");
  });

  it("answers NoSuchKey for a missing object", async () => {
    const eTag = await setUp();
    await remove();

    expect(await failure(remove(eTag))).to.include({ name: "NoSuchKey", status: 404 });
    expect(await failure(remove("*"))).to.include({ name: "NoSuchKey", status: 404 });
    await remove();
  });

  it("deletes only the object it names, however many write at the same time", async () => {
    const eTag = await setUp();

    const [deleted] = await Promise.all([
      remove(eTag).then(
        () => "deleted",
        (error: unknown) => (error as Error).name,
      ),
      put("second"),
    ]);

    expect(["deleted", "PreconditionFailed"]).to.include(deleted);
    expect(await scene.read(object.Key)).to.equal("second");
  });

  it("needs the permission to read the object, too, except with *", async () => {
    const eTag = await setUp(["s3:DeleteObject"]);

    expect(await failure(remove(eTag))).to.include({ name: "AccessDenied", status: 403 });
    expect(await scene.keys()).to.deep.equal([object.Key]);
    await remove("*");
    expect(await scene.keys()).to.deep.equal([]);
  });

  it("of many objects is not implemented, and keeps them all", async () => {
    const ETag = await setUp();
    const command = new DeleteObjectsCommand({
      Bucket: BUCKET,
      Delete: { Objects: [{ Key: object.Key, ETag }] },
    });

    expect((await failure(scene.client.send(command))).name).to.equal("NotImplemented");

    expect(await scene.keys()).to.deep.equal([object.Key]);
  });
});
