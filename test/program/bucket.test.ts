import { expect } from "chai";
import { DEFAULTS } from "../../config";
import { ACCOUNT_ID, type Inputs } from "../../testing/mockedAws";
import {
  ofType,
  only,
  OTHER_SETTINGS,
  type Recording,
  recordProgram,
} from "../../testing/recordingMocks";
import { BUCKET, functionArn, statementsOf } from "./names";

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

  it("encrypts objects, and deletes unfinished multipart uploads after a day", () => {
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
          abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
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

  it("lets no web page use it", () => {
    expect(ofType(recording, "BucketCorsConfiguration")).to.deep.equal([]);
  });

  it("with corsOrigins, lets their pages send and fetch files", async () => {
    const opened = await recordProgram(OTHER_SETTINGS);
    expect(only(opened, "BucketCorsConfiguration").inputs).to.deep.equal({
      bucket: "uploads-1a2b3c4",
      corsRules: [
        {
          allowedOrigins: ["https://www.example.com", "http://localhost:3000"],
          allowedMethods: ["GET", "HEAD", "PUT"],
          allowedHeaders: ["*"],
          exposeHeaders: ["ETag"],
          maxAgeSeconds: 3600,
        },
      ],
    });
  });

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
