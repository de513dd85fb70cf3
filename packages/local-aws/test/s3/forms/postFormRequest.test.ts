import { createHash } from "node:crypto";
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { BUCKET, type BucketScene, formData, OBJECTS, openBucket, signForm } from "../bucketScene";

describe("a form that uploads a file", () => {
  let scene: BucketScene;
  afterEach(() => scene.close());

  async function setUp(options: Parameters<typeof openBucket>[1] = {}): Promise<void> {
    scene = await openBucket([["s3:PutObject", OBJECTS]], options);
  }

  const head = (Key: string) =>
    scene.operator.send(new HeadObjectCommand({ Bucket: BUCKET, Key, ChecksumMode: "ENABLED" }));

  it("is stored with the type, the metadata and the checksum it names", async () => {
    await setUp();
    const checksum = createHash("sha256").update("content").digest("base64");
    const { url, fields } = await signForm(scene, {
      Key: "a/ünï key",
      Fields: {
        "Content-Type": "image/png",
        "Content-Disposition": "attachment",
        "x-amz-meta-owner": "me",
        "x-amz-checksum-algorithm": "SHA256",
        "x-amz-checksum-sha256": checksum,
      },
    });

    const response = await fetch(url, { method: "POST", body: formData(fields) });

    expect(response.status).to.equal(204);
    expect(response.headers.get("etag")).to.match(/^"[0-9a-f]{32}"$/);
    expect(response.headers.get("location")).to.equal(
      `${scene.url}/${encodeURIComponent("a/ünï key")}`,
    );
    expect(await scene.read("a/ünï key")).to.equal("content");
    const object = await head("a/ünï key");
    expect(object).to.include({
      ContentType: "image/png",
      ContentDisposition: "attachment",
      ContentLength: 7,
      ChecksumSHA256: checksum,
    });
    expect(object.Metadata).to.deep.equal({ owner: "me" });
  });

  it("is answered with its success_action_status, 201 with a document", async () => {
    await setUp();
    const answers = await Promise.all(
      ["200", "201", "404"].map(async (status) => {
        const { url, fields } = await signForm(scene, {
          Key: `<${status}>`,
          Fields: { success_action_status: status },
        });
        const response = await fetch(url, { method: "POST", body: formData(fields) });
        return { status: response.status, text: await response.text() };
      }),
    );

    expect(answers.map(({ status }) => status)).to.deep.equal([200, 201, 204]);
    expect(answers[1]?.text).to.include(`<Bucket>${BUCKET}</Bucket><Key>&lt;201&gt;</Key><ETag>`);
    expect(answers[1]?.text).to.include(`<Location>${scene.url}/%3C201%3E</Location>`);
  });

  it("is redirected to its success_action_redirect", async () => {
    await setUp();
    const { url, fields } = await signForm(scene, {
      Fields: { success_action_redirect: "http://127.0.0.1:1/done?a=b" },
    });

    const response = await fetch(url, {
      method: "POST",
      body: formData(fields),
      redirect: "manual",
    });

    expect(response.status).to.equal(303);
    expect(response.headers.get("location")).to.match(
      /^http:\/\/127\.0\.0\.1:1\/done\?a=b&bucket=files-of-a-test&key=a\+key&etag=%22[0-9a-f]{32}%22$/,
    );
  });

  it("has its file's name in the key, without the folders before it", async () => {
    await setUp();
    const { url, fields } = await signForm(scene, { Key: "in/${filename}" });

    const response = await fetch(url, {
      method: "POST",
      body: formData(fields, "x", "C:\\pictures/$& ü.png"),
    });

    expect(response.status).to.equal(204);
    expect(await scene.keys()).to.deep.equal(["in/$& ü.png"]);
  });

  it("may name its fields in any case, and have anything after the file", async () => {
    await setUp();
    const { url, fields } = await signForm(scene, { Fields: { "Content-Type": "text/css" } });
    const upper = Object.entries(fields).map(([name, value]) => [name.toUpperCase(), value]);
    const body = formData(Object.fromEntries(upper) as Record<string, string>);
    body.append("key", "another");
    body.append("acl", "public-read");

    const response = await fetch(url, { method: "POST", body });

    expect(response.status).to.equal(204);
    expect(await scene.keys()).to.deep.equal(["a key"]);
    expect((await head("a key")).ContentType).to.equal("text/css");
  });

  it("is observed as a call of its signer, and can be intercepted", async () => {
    const disturbed: string[] = [];
    await setUp({
      intercept: ({ operation, principal }, forward) => {
        disturbed.push(`${operation} by ${principal.functionName ?? ""}`);
        return forward();
      },
    });
    const { url, fields } = await signForm(scene);

    await fetch(url, { method: "POST", body: formData(fields) });

    expect(disturbed).to.deep.equal(["s3:PostObject by signer"]);
    expect(scene.calls).to.have.length(1);
    expect(scene.calls[0]).to.include({
      service: "s3",
      operation: "s3:PostObject",
      functionName: "signer",
      status: 204,
    });
  });
});
