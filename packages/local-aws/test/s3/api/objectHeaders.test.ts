import { expect } from "chai";
import { type Harness, startS3 } from "../harness";
import { elementsOf, type RawAnswer, send } from "./raw";

describe("the headers of an S3 object", () => {
  let harness: Harness;
  let urlOf: (path: string) => string;
  before(async () => {
    harness = await startS3();
    urlOf = (path) => `${harness.url}/files/${path}`;
  });
  after(() => harness.close());

  const put = (path: string, headers: Record<string, string>): Promise<RawAnswer> =>
    send(urlOf(path), { method: "PUT", headers, body: "content" });
  const bytesOf = (text: string): string => Buffer.from(text).toString("latin1");

  const kept: [name: string, value: string][] = [
    ["content-disposition", bytesOf('attachment; filename="日.txt"')],
    ["content-disposition", 'attachment; filename="\xfc.txt"'],
    ["cache-control", "max-age=1"],
    ["content-language", "de"],
    ["expires", "Thu, 01 Dec 2044 16:00:00 GMT"],
    ["x-amz-meta-a", "b"],
    ["x-amz-storage-class", "STANDARD_IA"],
    ["x-amz-website-redirect-location", "/elsewhere"],
    ["x-amz-server-side-encryption", "AES256"],
  ];
  for (const [name, value] of kept) {
    it(`keep ${name}: ${JSON.stringify(value)}, byte for byte`, async () => {
      expect((await put("kept", { [name]: value })).status).to.equal(200);

      for (const method of ["GET", "HEAD"]) {
        const answer = await send(urlOf("kept"), { method });
        expect(answer.status).to.equal(200);
        expect(answer.headers[name]).to.equal(value);
      }
    });
  }

  it("are replaced by those that a reader requests, as ISO-8859-1", async () => {
    await put("overridden", {});

    const query = "response-content-disposition=%C3%BC&response-expires=0";
    const answer = await send(urlOf(`overridden?${query}`));
    expect(answer.headers).to.include({ "content-disposition": "\xfc", expires: "0" });
    const refused = await send(urlOf("overridden?response-content-disposition=%E6%97%A5"));
    expect(refused.status).to.equal(400);
    expect(elementsOf(refused).Code).to.equal("InvalidArgument");
  });

  it("hold metadata outside of ASCII, and answer with it as RFC 2047 says", async () => {
    for (const sent of [bytesOf("日本"), "\xfc"]) {
      await put("named", { "x-amz-meta-name": sent });
      const { headers } = await send(urlOf("named"), { method: "HEAD" });
      const text = sent === "\xfc" ? "ü" : "日本";
      const word = `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`;
      expect(headers["x-amz-meta-name"]).to.equal(word);
    }
  });

  it("name the number of tags, and the usual storage class nowhere", async () => {
    await put("tagged", { "x-amz-tagging": "a=1&b=2", "x-amz-storage-class": "STANDARD" });

    const { headers } = await send(urlOf("tagged"), { method: "HEAD" });
    expect(headers["x-amz-tagging-count"]).to.equal("2");
    expect(headers).not.to.have.property("x-amz-storage-class");
  });

  const refused: [header: string, value: string, code: string, status: number][] = [
    ["x-amz-acl", "public-read", "AccessControlListNotSupported", 400],
    ["x-amz-grant-read", 'id="1"', "AccessControlListNotSupported", 400],
    ["x-amz-storage-class", "COLD", "InvalidStorageClass", 400],
    ["x-amz-storage-class", "GLACIER", "NotImplemented", 501],
    ["x-amz-server-side-encryption", "rot13", "InvalidEncryptionAlgorithmError", 400],
    ["x-amz-server-side-encryption-aws-kms-key-id", "k", "InvalidArgument", 400],
    ["x-amz-server-side-encryption-context", "e30=", "NotImplemented", 501],
    ["x-amz-server-side-encryption-customer-algorithm", "AES256", "NotImplemented", 501],
    ["x-amz-object-lock-mode", "GOVERNANCE", "InvalidRequest", 400],
    ["x-amz-website-redirect-location", "elsewhere", "InvalidRedirectLocation", 400],
    ["x-amz-write-offset-bytes", "7", "NotImplemented", 501],
    ["x-amz-expected-bucket-owner", "123456789012", "AccessDenied", 403],
    ["x-amz-tagging", "a=1&a=2", "InvalidTag", 400],
    ["x-amz-tagging", "%", "InvalidArgument", 400],
    ["x-amz-tagging", "=1", "InvalidTag", 400],
    ["x-amz-meta-long", "x".repeat(2045), "MetadataTooLarge", 400],
  ];
  for (const [header, value, code, status] of refused) {
    it(`are refused where nothing could keep them: ${header}: ${value.slice(0, 20)}`, async () => {
      await put("unchanged", {});

      for (const [method, path] of [
        ["PUT", "unchanged"],
        ["POST", "unchanged?uploads"],
      ] as const) {
        const answer = await send(urlOf(path), { method, headers: { [header]: value } });
        expect(answer.status).to.equal(status);
        expect(elementsOf(answer).Code).to.equal(code);
      }
      expect((await send(urlOf("unchanged"))).body.toString()).to.equal("content");
    });
  }

  it("hold up to 2 KB of metadata, in bytes", async () => {
    expect((await put("metadata", { "x-amz-meta-long": "x".repeat(2044) })).status).to.equal(200);
    const wide = bytesOf("ü".repeat(1022));
    expect((await put("metadata", { "x-amz-meta-long": wide })).status).to.equal(200);
    expect((await put("metadata", { "x-amz-meta-long": `${wide}x` })).status).to.equal(400);
  });

  describe("of a form", () => {
    const post = async (fields: Record<string, string>) => {
      const form = new FormData();
      for (const [name, value] of Object.entries({ key: "form", ...fields })) {
        form.append(name, value);
      }
      form.append("file", new Blob(["content"]));
      const body = new Response(form);
      const type = body.headers.get("content-type") ?? "";
      return send(`${harness.url}/files`, {
        method: "POST",
        headers: { "content-type": type },
        body: Buffer.from(await body.arrayBuffer()),
      });
    };

    it("are kept as those of a put, tags included", async () => {
      const disposition = 'attachment; filename="日.txt"';
      const tagging =
        "<Tagging><TagSet><Tag><Key>a</Key><Value>b c</Value></Tag></TagSet></Tagging>";
      const fields = {
        "Content-Disposition": disposition,
        tagging,
        acl: "private",
        "x-amz-storage-class": "ONEZONE_IA",
        "x-amz-meta-name": "日",
      };
      expect((await post(fields)).status).to.equal(204);

      const { headers } = await send(urlOf("form"), { method: "HEAD" });
      expect(headers).to.include({
        "content-disposition": bytesOf(disposition),
        "x-amz-tagging-count": "1",
        "x-amz-storage-class": "ONEZONE_IA",
        "x-amz-meta-name": "=?UTF-8?B?5pel?=",
      });
    });

    it("are refused as those of a put", async () => {
      const wrong: [field: string, value: string, code: string][] = [
        ["acl", "public-read", "AccessControlListNotSupported"],
        ["tagging", "a=b", "MalformedXML"],
        ["x-amz-server-side-encryption-customer-key", "a", "NotImplemented"],
        ["x-amz-meta-long", "ü".repeat(1023), "MetadataTooLarge"],
      ];
      for (const [field, value, code] of wrong) {
        expect(elementsOf(await post({ [field]: value })).Code).to.equal(code);
      }
    });
  });

  it("may name the private ACL and the bucket's owner", async () => {
    const headers = { "x-amz-acl": "private", "x-amz-expected-bucket-owner": "000000000000" };
    expect((await put("private", headers)).status).to.equal(200);
  });
});
