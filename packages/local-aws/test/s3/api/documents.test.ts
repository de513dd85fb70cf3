import { expect } from "chai";
import { type Harness, startS3 } from "../harness";
import { elementsOf, type RawAnswer, send } from "./raw";

describe("S3's bodies in XML", () => {
  let harness: Harness;
  beforeEach(async () => (harness = await startS3()));
  afterEach(() => harness.close());

  const request = (path: string, method: string, body: string | Buffer = ""): Promise<RawAnswer> =>
    send(`${harness.url}/files${path}`, { method, body });
  const put = (key: string) => request(`/${encodeURIComponent(key)}`, "PUT", "content");
  const remove = (objects: string) => request("?delete", "POST", `<Delete>${objects}</Delete>`);
  const statusOf = async (key: string) =>
    (await request(`/${encodeURIComponent(key)}`, "HEAD")).status;

  const spellings: [key: string, written: string][] = [
    ["it's.txt", "it&#39;s.txt"],
    ['"quoted"', "&#34;quoted&#x22;"],
    ["ü.txt", "&#252;.txt"],
    ["ü.txt", "ü.txt"],
    ["line\nbreak", "line&#10;break"],
    ["line\r\nbreak", "line&#13;&#xA;break"],
    ["a&b<c>", "a&amp;b&lt;c&gt;"],
    ["<a>", "<![CDATA[<a>]]>"],
  ];
  for (const [key, written] of spellings) {
    it(`delete ${JSON.stringify(key)}, written as ${JSON.stringify(written)}`, async () => {
      await put(key);
      const answer = await remove(`<Object><Key>${written}</Key></Object>`);
      expect(answer.status).to.equal(200);
      expect(await statusOf(key)).to.equal(404);
    });
  }

  it("complete an upload whose ETags are in numeric entities, as Go writes them", async () => {
    const { UploadId = "" } = elementsOf(await request("/go?uploads", "POST"));
    const part = await request(`/go?partNumber=1&uploadId=${UploadId}`, "PUT", "content");
    const eTag = part.headers.etag?.replaceAll('"', "&#34;") ?? "";
    const answer = await request(
      `/go?uploadId=${UploadId}`,
      "POST",
      '<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
        `<Part><ETag>${eTag}</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>`,
    );
    expect(answer.status).to.equal(200);
    expect(await statusOf("go")).to.equal(200);
  });

  it("delete the other objects of a list with a key that is too long", async () => {
    await put("short");
    const keys = ["x".repeat(1025), "short"];
    const answer = await remove(keys.map((key) => `<Object><Key>${key}</Key></Object>`).join(""));
    expect(answer.status).to.equal(200);
    expect(elementsOf(answer).Code).to.equal("KeyTooLongError");
    expect(await statusOf("short")).to.equal(404);
  });

  it("delete the other objects of a list with a version that there is not", async () => {
    await put("kept");
    await put("gone");
    const answer = await remove(
      "<Object><Key>kept</Key><VersionId>v1</VersionId></Object>" +
        "<Object><Key>gone</Key><VersionId>null</VersionId></Object>",
    );
    expect(elementsOf(answer)).to.include({ Code: "NoSuchVersion", VersionId: "v1" });
    expect([await statusOf("kept"), await statusOf("gone")]).to.deep.equal([200, 404]);
  });

  const refused: [what: string, path: string, body: string][] = [
    ["no XML", "?delete", "a"],
    ["another root", "?delete", "<Remove><Object><Key>a</Key></Object></Remove>"],
    ["no object", "?delete", "<Delete></Delete>"],
    ["an object without a key", "?delete", "<Delete><Object></Object></Delete>"],
    [
      "1,001 objects",
      "?delete",
      `<Delete>${"<Object><Key>a</Key></Object>".repeat(1001)}</Delete>`,
    ],
    ["20,000 unclosed objects", "?delete", `<Delete>${"<Object>".repeat(20_000)}`],
    ["no part", "/a?uploadId=1", "<CompleteMultipartUpload/>"],
    [
      "a part without a number",
      "/a?uploadId=1",
      "<CompleteMultipartUpload><Part><ETag>a</ETag></Part></CompleteMultipartUpload>",
    ],
  ];
  for (const [what, path, body] of refused) {
    it(`are refused as MalformedXML: ${what}`, async () => {
      await put("a");
      const answer = await request(path, "POST", body);
      expect(answer.status).to.equal(400);
      expect(elementsOf(answer).Code).to.equal("MalformedXML");
      expect(await statusOf("a")).to.equal(200);
    });
  }

  it("keep a lifecycle that is one", async () => {
    const lifecycle = "<LifecycleConfiguration></LifecycleConfiguration>";
    expect((await request("?lifecycle", "PUT", lifecycle)).status).to.equal(200);
    expect((await request("?lifecycle", "GET")).body.toString()).to.equal(lifecycle);
    expect(elementsOf(await request("?lifecycle", "PUT", "<a/>")).Code).to.equal("MalformedXML");
  });
});
