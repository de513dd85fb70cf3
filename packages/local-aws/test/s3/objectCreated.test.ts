import { expect } from "chai";
import type { ObjectCreated } from "../../s3/engine";
import { toS3Event } from "../../s3/objectCreated";

const created: ObjectCreated = {
  bucket: "files",
  key: "a.txt",
  size: 3,
  eTag: "d41d8cd98f00b204e9800998ecf8427e",
  sequencer: "0019A2B3C4D5E6F708",
  eventName: "ObjectCreated:Put",
  eventTime: new Date("2026-11-05T10:11:12.345Z"),
  principalArn: "arn:aws:sts::000000000000:assumed-role/upload/upload-1a2b3c4",
  requestId: "C3D13FE58DE4C810",
};
const context = { region: "eu-west-1", accountId: "000000000000", configurationId: "uploads" };

const keyOf = (key: string) => toS3Event({ ...created, key }, context).Records[0]?.s3.object.key;

describe("toS3Event", () => {
  it("has the form of S3's own message", () => {
    expect(toS3Event(created, context)).to.deep.equal({
      Records: [
        {
          eventVersion: "2.1",
          eventSource: "aws:s3",
          awsRegion: "eu-west-1",
          eventTime: "2026-11-05T10:11:12.345Z",
          eventName: "ObjectCreated:Put",
          userIdentity: { principalId: "AWS:AROAFF4085AD157354DC:upload-1a2b3c4" },
          requestParameters: { sourceIPAddress: "127.0.0.1" },
          responseElements: {
            "x-amz-request-id": "C3D13FE58DE4C810",
            "x-amz-id-2": "C3D13FE58DE4C810",
          },
          s3: {
            s3SchemaVersion: "1.0",
            configurationId: "uploads",
            bucket: {
              name: "files",
              ownerIdentity: { principalId: "000000000000" },
              arn: "arn:aws:s3:::files",
            },
            object: {
              key: "a.txt",
              size: 3,
              eTag: "d41d8cd98f00b204e9800998ecf8427e",
              sequencer: "0019A2B3C4D5E6F708",
            },
          },
        },
      ],
    });
  });

  it("names a user by its id, and nobody as Anonymous", () => {
    const idOf = (principalArn?: string) =>
      toS3Event({ ...created, principalArn }, context).Records[0]?.userIdentity.principalId;
    expect(idOf("arn:aws:iam::000000000000:user/operator")).to.match(/^AWS:AIDA[0-9A-F]{16}$/);
    expect(idOf()).to.equal("Anonymous");
  });

  it("names the version, where the bucket has versions", () => {
    const { Records } = toS3Event({ ...created, versionId: "v1" }, context);
    expect(Records[0]?.s3.object.versionId).to.equal("v1");
  });

  const encoded: [string, string][] = [
    ["red flower.jpg", "red+flower.jpg"],
    ["a+b%2B.txt", "a%2Bb%252B.txt"],
    ["dir//x/", "dir//x/"],
    ["year=2026/10:47", "year%3D2026/10%3A47"],
    ["(1)!'~", "%281%29%21%27%7E"],
    ["*-._", "*-._"],
    ["ünï 写真😀", "%C3%BCn%C3%AF+%E5%86%99%E7%9C%9F%F0%9F%98%80"],
  ];
  for (const [key, expected] of encoded) {
    it(`encodes ${key} so that replacing + and decoding gives it back`, () => {
      expect(keyOf(key)).to.equal(expected);
      expect(decodeURIComponent(expected.replaceAll("+", " "))).to.equal(key);
    });
  }
});
