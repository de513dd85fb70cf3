import * as dynamodb from "@aws-sdk/client-dynamodb";
import * as s3 from "@aws-sdk/client-s3";
import * as sns from "@aws-sdk/client-sns";
import * as sqs from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { AwsError } from "../../awsError";
import { describeCall, requiredGrants } from "../../gateway/actions";
import { claimedService } from "../../gateway/signature";
import type { HttpRequest } from "../../http";
import { ACCOUNT, captureOne, type Clients, PLACE, REGION } from "./capture";

type Act = (clients: Clients) => Promise<unknown>;

/** "<operation>: <action> <resource>, …", of the request a real client makes. */
async function needs(act: Act): Promise<string> {
  const request = await captureOne(act);
  const service = claimedService(request);
  const grants = requiredGrants(service, request, PLACE);
  return [
    `${describeCall(service, request)}:`,
    grants.map(({ action, resource }) => `${action} ${resource}`).join(", "),
  ].join(" ");
}

/** The error in place of the grants. */
function refused(service: string, request: HttpRequest): string {
  try {
    requiredGrants(service, request, PLACE);
  } catch (error) {
    if (error instanceof AwsError) {
      return `${error.status} ${error.code}: ${error.message}`;
    }
    throw error;
  }
  throw new Error("The request was accepted");
}

async function refusedCall(act: Act): Promise<string> {
  const request = await captureOne(act);
  return refused(claimedService(request), request);
}

function plain(method: string, url: string, headers: Record<string, string> = {}): HttpRequest {
  return { method, url, headers, body: Buffer.alloc(0) };
}

function target(name: string, body: unknown): HttpRequest {
  return {
    ...plain("POST", "/", { "x-amz-target": name }),
    body: Buffer.from(JSON.stringify(body)),
  };
}

const tableArn = (name: string): string => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${name}`;
const EVENTS = tableArn("events");
const table = { TableName: "events" };
const id = { event_id: { S: "1" } };

describe("requiredGrants", () => {
  describe("for DynamoDB", () => {
    const cases: [act: Act, expected: string][] = [
      [
        (clients) => clients.dynamodb.send(new dynamodb.PutItemCommand({ ...table, Item: id })),
        `dynamodb:PutItem: dynamodb:PutItem ${EVENTS}`,
      ],
      [
        (clients) =>
          clients.dynamodb.send(new dynamodb.GetItemCommand({ TableName: EVENTS, Key: id })),
        `dynamodb:GetItem: dynamodb:GetItem ${EVENTS}`,
      ],
      [
        (clients) => clients.dynamodb.send(new dynamodb.QueryCommand(table)),
        `dynamodb:Query: dynamodb:Query ${EVENTS}`,
      ],
      [
        (clients) =>
          clients.dynamodb.send(new dynamodb.QueryCommand({ ...table, IndexName: "time-index" })),
        `dynamodb:Query: dynamodb:Query ${EVENTS}/index/time-index`,
      ],
      [
        (clients) => clients.dynamodb.send(new dynamodb.ListTablesCommand({})),
        "dynamodb:ListTables: dynamodb:ListTables *",
      ],
      [
        (clients) =>
          clients.dynamodb.send(
            new dynamodb.BatchWriteItemCommand({ RequestItems: { a: [], b: [] } }),
          ),
        `dynamodb:BatchWriteItem: dynamodb:BatchWriteItem ${tableArn("a")}, ` +
          `dynamodb:BatchWriteItem ${tableArn("b")}`,
      ],
      [
        (clients) =>
          clients.dynamodb.send(
            new dynamodb.TransactWriteItemsCommand({
              TransactItems: [
                { Put: { TableName: "a", Item: id } },
                { Put: { TableName: "a", Item: id } },
                { Delete: { TableName: "b", Key: id } },
                { ConditionCheck: { TableName: "a", Key: id, ConditionExpression: "x" } },
              ],
            }),
          ),
        `dynamodb:TransactWriteItems: dynamodb:PutItem ${tableArn("a")}, ` +
          `dynamodb:DeleteItem ${tableArn("b")}, dynamodb:ConditionCheckItem ${tableArn("a")}`,
      ],
    ];
    for (const [act, expected] of cases) {
      it(expected, async () => {
        expect(await needs(act)).to.equal(expected);
      });
    }

    it("refuses what it cannot name a resource for", () => {
      expect(refused("dynamodb", target("DynamoDB_20120810.PutItem", {}))).to.match(
        /^400 ValidationException: .*TableName/,
      );
      expect(refused("dynamodb", target("DynamoDB_20120810.ExecuteStatement", {}))).to.match(
        /^501 NotImplemented: dynamodb:ExecuteStatement /,
      );
      expect(refused("dynamodb", target("DynamoDBStreams_20120810.GetRecords", {}))).to.match(
        /^501 NotImplemented: dynamodb:GetRecords /,
      );
      expect(refused("dynamodb", target("DynamoDB_20120810.PutItem", "no record"))).to.match(
        /^400 SerializationException/,
      );
    });
  });

  describe("for S3", () => {
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
        (clients) =>
          clients.s3.send(new s3.GetBucketLifecycleConfigurationCommand({ Bucket: "b" })),
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
          clients.s3.send(
            new s3.GetObjectCommand({ ...object, ResponseContentType: "text/plain" }),
          ),
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
    ];
    for (const [act, expected] of cases) {
      it(expected, async () => {
        expect(await needs(act)).to.equal(expected);
      });
    }

    it("gives the prefix as context to policies, where there is one", async () => {
      const list = async (Prefix?: string): Promise<unknown> =>
        requiredGrants(
          "s3",
          await captureOne((clients) =>
            clients.s3.send(new s3.ListObjectsV2Command({ Bucket: "b", Prefix, Delimiter: "/" })),
          ),
          PLACE,
        );

      expect(await list("a b/")).to.have.deep.nested.property("[0].context", {
        "s3:prefix": "a b/",
        "s3:delimiter": "/",
      });
      expect(await list()).to.have.deep.nested.property("[0].context", { "s3:delimiter": "/" });
    });

    const lacking: [act: Act, operation: string][] = [
      [
        (clients) =>
          clients.s3.send(new s3.PutObjectTaggingCommand({ ...object, Tagging: { TagSet: [] } })),
        "PutObjectTagging",
      ],
      [(clients) => clients.s3.send(new s3.GetObjectTaggingCommand(object)), "GetObjectTagging"],
      [
        (clients) => clients.s3.send(new s3.DeleteObjectTaggingCommand(object)),
        "DeleteObjectTagging",
      ],
      [
        (clients) => clients.s3.send(new s3.PutObjectAclCommand({ ...object, ACL: "private" })),
        "PutObjectAcl",
      ],
      [
        (clients) => clients.s3.send(new s3.PutObjectRetentionCommand(object)),
        "PutObjectRetention",
      ],
      [
        (clients) => clients.s3.send(new s3.PutObjectLegalHoldCommand(object)),
        "PutObjectLegalHold",
      ],
      [(clients) => clients.s3.send(new s3.GetObjectTorrentCommand(object)), "GetObjectTorrent"],
      [(clients) => clients.s3.send(new s3.RestoreObjectCommand(object)), "PostObjectRestore"],
      [
        (clients) => clients.s3.send(new s3.ListPartsCommand({ ...object, UploadId: "u" })),
        "ListParts",
      ],
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
        (clients) => clients.s3.send(new s3.ListMultipartUploadsCommand({ Bucket: "b" })),
        "ListMultipartUploads",
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
        (clients) => clients.s3.send(new s3.GetBucketLocationCommand({ Bucket: "b" })),
        "GetBucketLocation",
      ],
      [
        (clients) => clients.s3.send(new s3.DeleteBucketPolicyCommand({ Bucket: "b" })),
        "DeleteBucketPolicy",
      ],
    ];
    for (const [act, operation] of lacking) {
      it(`refuses ${operation}, which the engine would take for something else`, async () => {
        expect(await refusedCall(act)).to.include(`501 NotImplemented: s3:${operation} `);
      });
    }

    it("refuses a POST to an object, and a part without its number", () => {
      expect(refused("s3", plain("POST", "/b/k"))).to.match(/^501 NotImplemented/);
      expect(refused("s3", plain("POST", "/b"))).to.match(/^501 NotImplemented/);
      expect(refused("s3", plain("PUT", "/b/k?uploadId=u"))).to.match(/^501 NotImplemented/);
    });

    it("asks for the bucket in the path", () => {
      const headers = { host: "uploads.localhost:4566" };

      expect(refused("s3", plain("GET", "/key", headers))).to.match(/forcePathStyle/);
    });

    it("takes /bucket/ for the bucket", () => {
      expect(requiredGrants("s3", plain("DELETE", "/b/"), PLACE)).to.deep.equal([
        { action: "s3:DeleteBucket", resource: "arn:aws:s3:::b" },
      ]);
    });
  });

  describe("for SNS", () => {
    const TopicArn = `arn:aws:sns:${REGION}:${ACCOUNT}:done`;
    const SubscriptionArn = `${TopicArn}:6b0e71bd`;
    const cases: [act: Act, expected: string][] = [
      [
        (clients) => clients.sns.send(new sns.PublishCommand({ TopicArn, Message: "a&b=c +" })),
        `sns:Publish: sns:Publish ${TopicArn}`,
      ],
      [
        (clients) =>
          clients.sns.send(
            new sns.PublishBatchCommand({
              TopicArn,
              PublishBatchRequestEntries: [{ Id: "1", Message: "m" }],
            }),
          ),
        `sns:PublishBatch: sns:Publish ${TopicArn}`,
      ],
      [
        (clients) => clients.sns.send(new sns.PublishCommand({ PhoneNumber: "+1", Message: "m" })),
        "sns:Publish: sns:Publish *",
      ],
      [
        (clients) => clients.sns.send(new sns.SubscribeCommand({ TopicArn, Protocol: "email" })),
        `sns:Subscribe: sns:Subscribe ${TopicArn}`,
      ],
      [
        (clients) => clients.sns.send(new sns.UnsubscribeCommand({ SubscriptionArn })),
        `sns:Unsubscribe: sns:Unsubscribe ${TopicArn}`,
      ],
      [
        (clients) => clients.sns.send(new sns.CreateTopicCommand({ Name: "done" })),
        `sns:CreateTopic: sns:CreateTopic ${TopicArn}`,
      ],
      [
        (clients) => clients.sns.send(new sns.ListTopicsCommand({})),
        "sns:ListTopics: sns:ListTopics *",
      ],
    ];
    for (const [act, expected] of cases) {
      it(expected, async () => {
        expect(await needs(act)).to.equal(expected);
      });
    }

    it("refuses an operation it does not know, and one without its topic", async () => {
      expect(
        await refusedCall((clients) =>
          clients.sns.send(new sns.ListSMSSandboxPhoneNumbersCommand({})),
        ),
      ).to.match(/^501 NotImplemented: sns:ListSMSSandboxPhoneNumbers /);
      expect(
        await refusedCall((clients) => clients.sns.send(new sns.PublishCommand({ Message: "m" }))),
      ).to.match(/^400 InvalidParameter: .*TopicArn/);
    });
  });

  describe("for SQS and STS", () => {
    const QueueUrl = `http://127.0.0.1:4566/${ACCOUNT}/dead-letters`;
    const queueArn = `arn:aws:sqs:${REGION}:${ACCOUNT}:dead-letters`;
    const cases: [act: Act, expected: string][] = [
      [
        (clients) => clients.sqs.send(new sqs.ReceiveMessageCommand({ QueueUrl })),
        `sqs:ReceiveMessage: sqs:ReceiveMessage ${queueArn}`,
      ],
      [
        (clients) => clients.sqs.send(new sqs.DeleteMessageBatchCommand({ QueueUrl, Entries: [] })),
        `sqs:DeleteMessageBatch: sqs:DeleteMessage ${queueArn}`,
      ],
      [
        (clients) => clients.sqs.send(new sqs.GetQueueUrlCommand({ QueueName: "dead-letters" })),
        `sqs:GetQueueUrl: sqs:GetQueueUrl ${queueArn}`,
      ],
    ];
    for (const [act, expected] of cases) {
      it(expected, async () => {
        expect(await needs(act)).to.equal(expected);
      });
    }

    it("refuses what SQS here does not do, and the protocol it does not speak", () => {
      expect(refused("sqs", target("AmazonSQS.StartMessageMoveTask", {}))).to.match(
        /^501 NotImplemented: sqs:StartMessageMoveTask /,
      );
      const body = Buffer.from("Action=SendMessage&QueueUrl=x");
      expect(refused("sqs", { ...plain("POST", "/"), body })).to.match(/query protocol/);
    });

    it("wants nothing for GetCallerIdentity", () => {
      const body = Buffer.from("Action=GetCallerIdentity&Version=2011-06-15");
      const request = { ...plain("POST", "/"), body };

      expect(requiredGrants("sts", request, PLACE)).to.deep.equal([]);
      expect(describeCall("sts", request)).to.equal("sts:GetCallerIdentity");
    });
  });

  it("refuses a service it does not know, by name", () => {
    expect(refused("kms", target("TrentService.Decrypt", {}))).to.match(
      /^501 NotImplemented: kms:Decrypt /,
    );
  });
});
