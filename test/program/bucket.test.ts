import { expect } from "chai";
import { DEFAULTS } from "../../config";
import { ACCOUNT_ID, type Inputs, REGION, restApiId } from "../../testing/mockedAws";
import { only, OTHER_SETTINGS, type Recording, recordProgram } from "../../testing/recordingMocks";
import { BUCKET, functionArn, statementsOf } from "./names";

/** Of the APIs that serve pages. */
const OWN_ORIGINS = ["manager", "links"].map(
  (name) => `https://${restApiId(name)}.execute-api.${REGION}.amazonaws.com`,
);

describe("The program's bucket", () => {
  let recording: Recording;

  before(async () => {
    recording = await recordProgram();
  });

  function inputs(type: string, name?: string): Inputs {
    return only(recording, type, name).inputs;
  }

  it("is deleted with its files on destroy", () => {
    expect(inputs("Bucket")).to.deep.equal({ forceDestroy: DEFAULTS.deleteFilesOnDestroy });
  });

  it("is closed to the public, whatever a policy or an ACL says", () => {
    expect(inputs("BucketPublicAccessBlock")).to.deep.equal({
      bucket: "uploads-1a2b3c4",
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    expect(inputs("BucketOwnershipControls")).to.deep.equal({
      bucket: "uploads-1a2b3c4",
      rule: { objectOwnership: "BucketOwnerEnforced" },
    });
  });

  it("encrypts objects, and deletes the parts of unfinished uploads after the longest life of a link", () => {
    expect(inputs("BucketServerSideEncryptionConfiguration")).to.deep.equal({
      bucket: "uploads-1a2b3c4",
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
    });
    expect(inputs("BucketLifecycleConfiguration")).to.deep.equal({
      bucket: "uploads-1a2b3c4",
      rules: [
        {
          id: "abort-unfinished-multipart-uploads",
          status: "Enabled",
          filter: {},
          abortIncompleteMultipartUpload: { daysAfterInitiation: 30 },
        },
      ],
    });
  });

  it("refuses requests without TLS, and writes of uploads that could replace one", () => {
    expect(inputs("BucketPolicy").bucket).to.equal("uploads-1a2b3c4");
    expect(statementsOf(only(recording, "BucketPolicy"))).to.deep.equal([
      {
        Sid: "TlsOnly",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: [BUCKET, `${BUCKET}/*`],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
      {
        Sid: "WriteOnce",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:PutObject",
        Resource: [`${BUCKET}/uploads/*`, `${BUCKET}/signed/*`, `${BUCKET}/links/*`],
        Condition: {
          Null: { "s3:if-none-match": "true" },
          Bool: { "s3:ObjectCreationOperation": "true" },
        },
      },
    ]);
  });

  for (const [what, settings, origins] of [
    ["the pages of its own APIs", {}, []],
    [
      "the pages of corsOrigins, too,",
      OTHER_SETTINGS,
      ["https://www.example.com", "http://localhost:3000"],
    ],
  ] as const) {
    it(`lets ${what} send and fetch files, and read the ETag of a part`, async () => {
      const opened = await recordProgram(settings);
      expect(only(opened, "BucketCorsConfiguration").inputs).to.deep.equal({
        bucket: "uploads-1a2b3c4",
        corsRules: [
          {
            allowedOrigins: [...origins, ...OWN_ORIGINS],
            allowedMethods: ["GET", "HEAD", "PUT"],
            allowedHeaders: ["*"],
            exposeHeaders: ["ETag"],
            maxAgeSeconds: 3600,
          },
        ],
      });
    });
  }

  it("starts record for every new object; only this bucket of this account may", () => {
    expect(inputs("BucketNotification")).to.deep.equal({
      bucket: "uploads-1a2b3c4",
      lambdaFunctions: [
        { lambdaFunctionArn: functionArn("record"), events: ["s3:ObjectCreated:*"] },
      ],
    });
    expect(inputs("Permission", "record")).to.deep.equal({
      action: "lambda:InvokeFunction",
      function: "record-1a2b3c4",
      principal: "s3.amazonaws.com",
      sourceArn: BUCKET,
      sourceAccount: ACCOUNT_ID,
    });
  });
});
