import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { expect } from "chai";
import { BUCKET, type BucketScene, OBJECTS, openBucket, refusal } from "./bucketScene";

const object = { Bucket: BUCKET, Key: "a/b c.txt" };

describe("a presigned GET", () => {
  let scene: BucketScene;
  before(async () => {
    scene = await openBucket([["s3:GetObject", OBJECTS]]);
    await scene.operator.send(
      new PutObjectCommand({ ...object, Body: "content", ContentType: "text/html" }),
    );
  });
  after(() => scene.close());

  const overrides = {
    ResponseContentDisposition: 'attachment; filename="b c.txt"',
    ResponseContentType: "text/plain",
    ResponseCacheControl: "no-store",
    ResponseContentLanguage: "de",
    ResponseContentEncoding: "identity",
    ResponseExpires: new Date(0),
  };
  const asked = {
    "content-disposition": 'attachment; filename="b c.txt"',
    "content-type": "text/plain",
    "cache-control": "no-store",
    "content-language": "de",
    "content-encoding": "identity",
    expires: "Thu, 01 Jan 1970 00:00:00 GMT",
  };

  it("returns the object with the signed headers, in ranges and for HEAD, too", async () => {
    const get = await getSignedUrl(scene.client, new GetObjectCommand({ ...object, ...overrides }));
    const head = await getSignedUrl(
      scene.client,
      new HeadObjectCommand({ ...object, ...overrides }),
    );

    const [whole, part, about] = await Promise.all([
      fetch(get),
      fetch(get, { headers: { range: "bytes=0-2" } }),
      fetch(head, { method: "HEAD" }),
    ]);

    expect([whole.status, part.status, about.status]).to.deep.equal([200, 206, 200]);
    expect([await whole.text(), await part.text()]).to.deep.equal(["content", "con"]);
    for (const { headers } of [whole, part, about]) {
      expect(Object.fromEntries(headers)).to.include(asked);
    }
  });

  it("returns it with its own headers where no others are requested", async () => {
    const response = await fetch(await getSignedUrl(scene.client, new GetObjectCommand(object)));
    expect(response.headers.get("content-type")).to.equal("text/html");
    expect(response.headers.get("content-disposition")).to.equal(null);
  });

  it("does not change the headers of an error", async () => {
    const missing = new GetObjectCommand({ ...object, Key: "missing", ...overrides });
    const response = await fetch(await getSignedUrl(scene.operator, missing));
    expect(response.status).to.equal(404);
    expect(response.headers.get("content-type")).to.equal("application/xml");
    expect(response.headers.get("content-disposition")).to.equal(null);
  });

  it("is refused for a header that cannot be sent", async () => {
    const command = new GetObjectCommand({ ...object, ResponseContentDisposition: "写真\r\na: b" });
    expect(await refusal(await fetch(await getSignedUrl(scene.client, command)))).to.include({
      status: "400",
      Code: "InvalidArgument",
      Message: "Header value cannot be represented using ISO-8859-1.",
      ArgumentName: "response-content-disposition",
    });
  });

  it("is refused with headers that were not signed, or are requested anonymously", async () => {
    const signed = await getSignedUrl(scene.client, new GetObjectCommand(object));
    const query = "response-content-type=text/plain";
    const anonymous = `${scene.url}/a/b%20c.txt`;

    expect(await refusal(await fetch(`${signed}&${query}`))).to.include({
      status: "403",
      Code: "SignatureDoesNotMatch",
    });
    expect(await refusal(await fetch(`${anonymous}?${query}`))).to.include({
      status: "400",
      Code: "InvalidRequest",
      Message: "Request specific response headers cannot be used for anonymous GET requests.",
    });
    expect(await refusal(await fetch(anonymous))).to.include({
      status: "403",
      Code: "AccessDenied",
    });
  });

  it("is refused when it has expired", async () => {
    const signingDate = new Date(Date.now() - 61_000);
    const url = await getSignedUrl(scene.client, new GetObjectCommand(object), {
      expiresIn: 60,
      signingDate,
    });
    expect(await refusal(await fetch(url))).to.include({
      status: "403",
      Code: "AccessDenied",
      Message: "Request has expired",
    });
  });
});
