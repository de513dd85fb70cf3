import { expect } from "chai";
import { type BucketScene, formData, OBJECTS, openBucket, refusal, signForm } from "../bucketScene";

type Options = NonNullable<Parameters<typeof signForm>[1]>;
type Fields = Record<string, string>;

const failed = (condition: string) =>
  `Invalid according to Policy: Policy Condition failed: ${condition}`;

/** A policy as a form carries it. */
const encoded = (policy: unknown) => Buffer.from(JSON.stringify(policy)).toString("base64");

describe("a form's policy", () => {
  let scene: BucketScene;
  before(async () => (scene = await openBucket([["s3:PutObject", OBJECTS]])));
  after(() => scene.close());

  /** How S3 refuses a form, whose fields are changed after it is signed; nothing is stored. */
  async function refused(
    options: Options,
    change: (fields: Fields) => Fields = (fields) => fields,
    file = "content",
  ): Promise<Fields> {
    const { url, fields } = await signForm(scene, options);
    const body = formData(change(fields), file);
    const answer = await refusal(await fetch(url, { method: "POST", body }));
    expect(await scene.keys()).to.deep.equal([]);
    return answer;
  }

  const without =
    (...names: string[]) =>
    (fields: Fields) =>
      Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));

  describe("that does not hold is refused, and nothing stored:", () => {
    const cases: [
      what: string,
      options: Options,
      change: (fields: Fields) => Fields,
      why: string,
    ][] = [
      [
        "another key than the signed one",
        {},
        (fields) => ({ ...fields, key: "other" }),
        failed('["eq", "$key", "a key"]'),
      ],
      [
        "a value without its prefix",
        { Conditions: [["starts-with", "$Content-Type", "image/"]] },
        (fields) => ({ ...fields, "Content-Type": "text/html" }),
        failed('["starts-with", "$Content-Type", "image/"]'),
      ],
      [
        "a list of types of which one does not fit",
        { Conditions: [["starts-with", "$Content-Type", "image/"]] },
        (fields) => ({ ...fields, "Content-Type": "image/png, text/html" }),
        failed('["starts-with", "$Content-Type", "image/"]'),
      ],
      [
        "a field that is missing",
        { Fields: { "x-amz-meta-a": "1" } },
        without("x-amz-meta-a"),
        failed('["eq", "$x-amz-meta-a", "1"]'),
      ],
      [
        "a field that may begin with anything, and is missing",
        { Conditions: [["starts-with", "$Content-Type", ""]] },
        (fields) => fields,
        failed('["starts-with", "$Content-Type", ""]'),
      ],
      [
        "fields that are not signed",
        {},
        (fields) => ({ ...fields, acl: "public-read", "X-Ignore-Me": "1", Expires: "0" }),
        "Invalid according to Policy: Extra input fields: acl, expires",
      ],
      [
        "an expired policy",
        { Expires: -1 },
        (f) => f,
        "Invalid according to Policy: Policy expired.",
      ],
    ];
    for (const [what, options, change, Message] of cases) {
      it(what, async () => {
        const answer = await refused(options, change);
        expect(answer).to.include({ status: "403", Code: "AccessDenied", Message });
      });
    }

    it("a file that is too large or too small, with the sizes", async () => {
      const options: Options = { Conditions: [["content-length-range", 5, 10]] };
      expect(await refused(options, undefined, "01234567890")).to.include({
        status: "400",
        Code: "EntityTooLarge",
        Message: "Your proposed upload exceeds the maximum allowed size",
        ProposedSize: "11",
        MaxSizeAllowed: "10",
      });
      expect(await refused(options, undefined, "0123")).to.include({
        status: "400",
        Code: "EntityTooSmall",
        ProposedSize: "4",
        MinSizeAllowed: "5",
      });
    });

    it("a checksum of other bytes", async () => {
      const sum = Buffer.alloc(32).toString("base64");
      expect(await refused({ Fields: { "x-amz-checksum-sha256": sum } })).to.include({
        status: "400",
        Code: "BadDigest",
      });
    });
  });

  describe("without a valid signature is refused:", () => {
    const cases: [
      what: string,
      change: (fields: Fields) => Fields,
      code: string,
      status: number,
    ][] = [
      [
        "with another signature",
        (fields) => ({ ...fields, "X-Amz-Signature": "0".repeat(64) }),
        "SignatureDoesNotMatch",
        403,
      ],
      [
        "with other conditions under the signature",
        (fields) => ({
          ...fields,
          Policy: encoded({ expiration: "2999-01-01T00:00:00Z", conditions: [] }),
        }),
        "SignatureDoesNotMatch",
        403,
      ],
      [
        "by a key that does not exist",
        (fields) => ({
          ...fields,
          "X-Amz-Credential": (fields["X-Amz-Credential"] ?? "").replace(/^\w+/, "AKIANOBODY"),
        }),
        "InvalidAccessKeyId",
        403,
      ],
      [
        "with another token",
        (fields) => ({ ...fields, "X-Amz-Security-Token": "guessed" }),
        "InvalidToken",
        400,
      ],
      ["without the token", without("X-Amz-Security-Token"), "InvalidToken", 400],
      [
        "for another region",
        (fields) => ({
          ...fields,
          "X-Amz-Credential": (fields["X-Amz-Credential"] ?? "").replace("eu-central-1", "mars"),
        }),
        "SignatureDoesNotMatch",
        403,
      ],
      [
        "with another algorithm",
        (fields) => ({ ...fields, "X-Amz-Algorithm": "AWS4-HMAC-SHA1" }),
        "AuthorizationQueryParametersError",
        400,
      ],
      [
        "of another day",
        (fields) => ({ ...fields, "X-Amz-Date": "20200101T000000Z" }),
        "AuthorizationQueryParametersError",
        400,
      ],
      ["without the policy", without("Policy"), "InvalidArgument", 400],
      ["without anything of it", () => ({ key: "a key" }), "AccessDenied", 403],
      ["without a key", without("key"), "InvalidArgument", 400],
    ];
    for (const [what, change, Code, status] of cases) {
      it(what, async () => {
        expect(await refused({}, change)).to.include({ status: `${status}`, Code });
      });
    }

    it("for a region that is not this one, by a signature that holds there", async () => {
      const region = "us-west-2";
      const client = Object.assign(Object.create(scene.client) as typeof scene.client, {
        config: { ...scene.client.config, region: () => Promise.resolve(region) },
      });
      const { fields } = await signForm({ client });
      const body = formData(fields);
      expect(await refusal(await fetch(scene.url, { method: "POST", body }))).to.include({
        status: "400",
        Code: "AuthorizationQueryParametersError",
        Message:
          "Error parsing the X-Amz-Credential parameter; the region 'us-west-2' is wrong; " +
          "expecting 'eu-central-1'",
      });
    });
  });

  it("that is signed by a role that may not put the object is refused", async () => {
    const readers = await openBucket([["s3:PutObject", `${OBJECTS}/elsewhere`]]);
    try {
      const { url, fields } = await signForm(readers);
      const answer = await refusal(await fetch(url, { method: "POST", body: formData(fields) }));

      expect(answer).to.include({ status: "403", Code: "AccessDenied" });
      expect(answer.Message).to.include("s3:PutObject").and.to.include("a key");
      expect(await readers.keys()).to.deep.equal([]);
      expect(readers.calls[0]).to.include({ functionName: "signer", errorCode: "AccessDenied" });
    } finally {
      await readers.close();
    }
  });

  it("is checked only for a bucket that exists", async () => {
    const { fields } = await signForm(scene);
    const url = `${scene.test.cloud.endpoint}/nowhere`;
    expect(await refusal(await fetch(url, { method: "POST", body: formData(fields) }))).to.include({
      status: "404",
      Code: "NoSuchBucket",
    });
  });

  it("is not looked for in a request without a form", async () => {
    const body = new URLSearchParams({ key: "a key" });
    expect(await refusal(await fetch(scene.url, { method: "POST", body }))).to.include({
      status: "412",
      Code: "PreconditionFailed",
      Condition: "Bucket POST must be of the enclosure-type multipart/form-data",
    });
  });
});
