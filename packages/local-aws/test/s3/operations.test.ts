import * as s3 from "@aws-sdk/client-s3";
import { expect } from "chai";
import { s3Api } from "../../s3/service";
import { captureOne, PLACE } from "../gateway/capture";
import { type Act, needs, plain, refused, refusedCall } from "../gateway/grants";

describe("the grants of an S3 call", () => {
  const object = { Bucket: "b", Key: "a b/é+#?%2B//.." };
  const objectArn = `arn:aws:s3:::${object.Bucket}/${object.Key}`;
  const part = { ...object, UploadId: "u", PartNumber: 1 };
  const CopySource = encodeURIComponent("/c/x y+z");
  const cases: [act: Act, expected: string][] = [
    [
      (clients) => clients.s3.send(new s3.ListBucketsCommand({ MaxBuckets: 5 })),
      "s3:ListBuckets: s3:ListAllMyBuckets *",
    ],
    [
      (clients) => clients.s3.send(new s3.HeadBucketCommand({ Bucket: "b" })),
      "s3:HeadBucket: s3:ListBucket arn:aws:s3:::b",
    ],
    [
      (clients) => clients.s3.send(new s3.CreateBucketCommand({ Bucket: "b" })),
      "s3:CreateBucket: s3:CreateBucket arn:aws:s3:::b",
    ],
    [
      (clients) => clients.s3.send(new s3.GetBucketLifecycleConfigurationCommand({ Bucket: "b" })),
      "s3:GetBucketLifecycleConfiguration: s3:GetLifecycleConfiguration arn:aws:s3:::b",
    ],
    [
      (clients) => clients.s3.send(new s3.DeleteBucketLifecycleCommand({ Bucket: "b" })),
      "s3:DeleteBucketLifecycle: s3:PutLifecycleConfiguration arn:aws:s3:::b",
    ],
    [
      (clients) => clients.s3.send(new s3.ListObjectsCommand({ Bucket: "b", Marker: "m" })),
      "s3:ListObjects: s3:ListBucket arn:aws:s3:::b",
    ],
    [
      (clients) => clients.s3.send(new s3.ListObjectsV2Command({ Bucket: "b", StartAfter: "m" })),
      "s3:ListObjectsV2: s3:ListBucket arn:aws:s3:::b",
    ],
    [
      (clients) =>
        clients.s3.send(
          new s3.DeleteObjectsCommand({
            Bucket: "b",
            Delete: { Objects: [{ Key: "a&<b>\n'" }, { Key: "c", VersionId: "v" }] },
          }),
        ),
      "s3:DeleteObjects: s3:DeleteObject arn:aws:s3:::b/a&<b>\n', " +
        "s3:DeleteObjectVersion arn:aws:s3:::b/c",
    ],
    [
      (clients) =>
        clients.s3.send(new s3.GetObjectCommand({ ...object, ResponseContentType: "text/plain" })),
      `s3:GetObject: s3:GetObject ${objectArn}`,
    ],
    [
      (clients) => clients.s3.send(new s3.GetObjectCommand({ ...object, VersionId: "v" })),
      `s3:GetObject: s3:GetObjectVersion ${objectArn}`,
    ],
    [
      (clients) => clients.s3.send(new s3.HeadObjectCommand({ ...object, PartNumber: 1 })),
      `s3:HeadObject: s3:GetObject ${objectArn}`,
    ],
    [
      (clients) =>
        clients.s3.send(
          new s3.GetObjectAttributesCommand({ ...object, ObjectAttributes: ["ETag"] }),
        ),
      `s3:GetObjectAttributes: s3:GetObject ${objectArn}, s3:GetObjectAttributes ${objectArn}`,
    ],
    [
      (clients) => clients.s3.send(new s3.PutObjectCommand({ ...object, Body: "x" })),
      `s3:PutObject: s3:PutObject ${objectArn}`,
    ],
    [
      (clients) =>
        clients.s3.send(new s3.PutObjectCommand({ ...object, Body: "x", Tagging: "a=b" })),
      `s3:PutObject: s3:PutObject ${objectArn}, s3:PutObjectTagging ${objectArn}`,
    ],
    [
      (clients) => clients.s3.send(new s3.CopyObjectCommand({ ...object, CopySource })),
      `s3:CopyObject: s3:PutObject ${objectArn}, s3:GetObject arn:aws:s3:::c/x y+z`,
    ],
    [
      (clients) =>
        clients.s3.send(new s3.CopyObjectCommand({ ...object, CopySource: "c/x?versionId=v" })),
      `s3:CopyObject: s3:PutObject ${objectArn}, s3:GetObjectVersion arn:aws:s3:::c/x`,
    ],
    [
      (clients) => clients.s3.send(new s3.DeleteObjectCommand(object)),
      `s3:DeleteObject: s3:DeleteObject ${objectArn}`,
    ],
    [
      (clients) => clients.s3.send(new s3.CreateMultipartUploadCommand(object)),
      `s3:CreateMultipartUpload: s3:PutObject ${objectArn}`,
    ],
    [
      (clients) => clients.s3.send(new s3.UploadPartCommand({ ...part, Body: "x" })),
      `s3:UploadPart: s3:PutObject ${objectArn}`,
    ],
    [
      (clients) => clients.s3.send(new s3.UploadPartCopyCommand({ ...part, CopySource })),
      `s3:UploadPartCopy: s3:PutObject ${objectArn}, s3:GetObject arn:aws:s3:::c/x y+z`,
    ],
    [
      (clients) =>
        clients.s3.send(new s3.CompleteMultipartUploadCommand({ ...object, UploadId: "u" })),
      `s3:CompleteMultipartUpload: s3:PutObject ${objectArn}`,
    ],
    [
      (clients) =>
        clients.s3.send(new s3.AbortMultipartUploadCommand({ ...object, UploadId: "u" })),
      `s3:AbortMultipartUpload: s3:AbortMultipartUpload ${objectArn}`,
    ],
    [
      (clients) => clients.s3.send(new s3.GetBucketAclCommand({ Bucket: "b" })),
      "s3:GetBucketAcl: s3:GetBucketAcl arn:aws:s3:::b",
    ],
    [
      (clients) => clients.s3.send(new s3.GetBucketCorsCommand({ Bucket: "b" })),
      "s3:GetBucketCors: s3:GetBucketCORS arn:aws:s3:::b",
    ],
    [
      (clients) => clients.s3.send(new s3.GetBucketLocationCommand({ Bucket: "b" })),
      "s3:GetBucketLocation: s3:GetBucketLocation arn:aws:s3:::b",
    ],
    [
      (clients) => clients.s3.send(new s3.GetBucketRequestPaymentCommand({ Bucket: "b" })),
      "s3:GetBucketRequestPayment: s3:GetBucketRequestPayment arn:aws:s3:::b",
    ],
    [
      (clients) => clients.s3.send(new s3.GetBucketVersioningCommand({ Bucket: "b" })),
      "s3:GetBucketVersioning: s3:GetBucketVersioning arn:aws:s3:::b",
    ],
    [
      (clients) =>
        clients.s3.send(
          new s3.ListMultipartUploadsCommand({
            Bucket: "b",
            Prefix: "p",
            KeyMarker: "k",
            UploadIdMarker: "u",
            MaxUploads: 2,
            EncodingType: "url",
          }),
        ),
      "s3:ListMultipartUploads: s3:ListBucketMultipartUploads arn:aws:s3:::b",
    ],
    [
      (clients) => clients.s3.send(new s3.GetObjectAclCommand(object)),
      `s3:GetObjectAcl: s3:GetObjectAcl ${objectArn}`,
    ],
    [
      (clients) => clients.s3.send(new s3.GetObjectTaggingCommand(object)),
      `s3:GetObjectTagging: s3:GetObjectTagging ${objectArn}`,
    ],
    [
      (clients) =>
        clients.s3.send(new s3.PutObjectTaggingCommand({ ...object, Tagging: { TagSet: [] } })),
      `s3:PutObjectTagging: s3:PutObjectTagging ${objectArn}`,
    ],
    [
      (clients) => clients.s3.send(new s3.DeleteObjectTaggingCommand(object)),
      `s3:DeleteObjectTagging: s3:DeleteObjectTagging ${objectArn}`,
    ],
    [
      (clients) =>
        clients.s3.send(
          new s3.ListPartsCommand({ ...object, UploadId: "u", MaxParts: 2, PartNumberMarker: "1" }),
        ),
      `s3:ListParts: s3:ListMultipartUploadParts ${objectArn}`,
    ],
  ];
  for (const [act, expected] of cases) {
    it(expected, async () => {
      expect(await needs(s3Api, act)).to.equal(expected);
    });
  }

  it("give the prefix as context to policies, where there is one", async () => {
    const list = async (Prefix?: string): Promise<unknown> => {
      const request = await captureOne((clients) =>
        clients.s3.send(new s3.ListObjectsV2Command({ Bucket: "b", Prefix, Delimiter: "/" })),
      );
      return s3Api.read(request).grants(PLACE);
    };

    expect(await list("a b/")).to.have.deep.nested.property("[0].context", {
      "s3:prefix": "a b/",
      "s3:delimiter": "/",
    });
    expect(await list()).to.have.deep.nested.property("[0].context", { "s3:delimiter": "/" });
  });

  const lacking: [act: Act, operation: string][] = [
    [
      (clients) => clients.s3.send(new s3.PutObjectAclCommand({ ...object, ACL: "private" })),
      "PutObjectAcl",
    ],
    [(clients) => clients.s3.send(new s3.PutObjectRetentionCommand(object)), "PutObjectRetention"],
    [(clients) => clients.s3.send(new s3.PutObjectLegalHoldCommand(object)), "PutObjectLegalHold"],
    [(clients) => clients.s3.send(new s3.GetObjectTorrentCommand(object)), "GetObjectTorrent"],
    [(clients) => clients.s3.send(new s3.RestoreObjectCommand(object)), "PostObjectRestore"],
    [
      (clients) => clients.s3.send(new s3.RenameObjectCommand({ ...object, RenameSource: "x" })),
      "RenameObject",
    ],
    [
      (clients) =>
        clients.s3.send(
          new s3.SelectObjectContentCommand({
            ...object,
            Expression: "x",
            ExpressionType: "SQL",
            InputSerialization: {},
            OutputSerialization: {},
          }),
        ),
      "SelectObjectContent",
    ],
    [
      (clients) => clients.s3.send(new s3.ListObjectVersionsCommand({ Bucket: "b" })),
      "ListObjectVersions",
    ],
    [
      (clients) =>
        clients.s3.send(
          new s3.PutBucketVersioningCommand({
            Bucket: "b",
            VersioningConfiguration: { Status: "Enabled" },
          }),
        ),
      "PutBucketVersioning",
    ],
    [
      (clients) => clients.s3.send(new s3.DeleteBucketPolicyCommand({ Bucket: "b" })),
      "DeleteBucketPolicy",
    ],
  ];
  for (const [act, operation] of lacking) {
    it(`refuses ${operation}, which the engine would mistake for another operation`, async () => {
      expect(await refusedCall(s3Api, act)).to.include(`501 NotImplemented: s3:${operation} `);
    });
  }

  it("refuse a POST to an object, and a part without its number", () => {
    expect(refused(s3Api, plain("POST", "/b/k"))).to.match(/^501 NotImplemented/);
    expect(refused(s3Api, plain("POST", "/b"))).to.match(/^501 NotImplemented/);
    expect(refused(s3Api, plain("PUT", "/b/k?uploadId=u"))).to.match(/^501 NotImplemented/);
  });

  const none = { "if-none-match": "*" };
  const tag = { "if-match": '"e"' };
  const source = { "x-amz-copy-source": "/c/d" };
  const made = { "s3:ObjectCreationOperation": "true" };
  const begun = { "s3:ObjectCreationOperation": "false" };
  const conditions: [string, string, string, Record<string, string>, object][] = [
    ["PutObject", "PUT", "", {}, made],
    ["PutObject with If-None-Match", "PUT", "", none, { ...made, "s3:if-none-match": "*" }],
    ["PutObject with If-Match", "PUT", "", tag, { ...made, "s3:if-match": '"e"' }],
    ["CopyObject", "PUT", "", source, made],
    [
      "CopyObject with If-None-Match",
      "PUT",
      "",
      { ...source, ...none },
      { ...made, "s3:if-none-match": "*" },
    ],
    ["CreateMultipartUpload", "POST", "?uploads", none, begun],
    ["UploadPart", "PUT", "?partNumber=1&uploadId=u", none, begun],
    ["UploadPartCopy", "PUT", "?partNumber=1&uploadId=u", source, begun],
    ["CompleteMultipartUpload", "POST", "?uploadId=u", {}, made],
    [
      "CompleteMultipartUpload with If-None-Match",
      "POST",
      "?uploadId=u",
      none,
      { ...made, "s3:if-none-match": "*" },
    ],
  ];
  for (const [what, method, query, headers, context] of conditions) {
    it(`have the condition keys of ${what}`, () => {
      const [put] = s3Api.read(plain(method, `/b/k${query}`, headers)).grants(PLACE);
      expect(put).to.deep.equal({
        action: "s3:PutObject",
        resource: "arn:aws:s3:::b/k",
        context,
      });
    });
  }

  it("require the bucket in the path", () => {
    const headers = { host: "uploads.localhost:4566" };

    expect(refused(s3Api, plain("GET", "/key", headers))).to.match(/forcePathStyle/);
  });

  it("treat /bucket/ as the bucket", () => {
    expect(s3Api.read(plain("DELETE", "/b/")).grants(PLACE)).to.deep.equal([
      { action: "s3:DeleteBucket", resource: "arn:aws:s3:::b" },
    ]);
  });
});
