import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { asset } from "@pulumi/pulumi";
import { expect } from "chai";
import { startRun } from "local-aws";
import { openCloud, REGION, type TestCloud } from "../testCloud";

const FIXTURES = path.join(__dirname, "..", "fixtures");

const FUNCTION = { handler: "index.handler", runtime: "nodejs24.x", role: "arn" };
const VPC = { subnetIds: ["subnet-1"], securityGroupIds: ["sg-1"] };
const BUCKET = { bucket: "b" };
const TARGET = { lambdaFunctionArn: "arn", events: ["s3:ObjectCreated:*"] };
const TABLE = { attributes: [{ name: "id", type: "S" }], hashKey: "id" };
const MAPPING = { functionName: "f", startingPosition: "LATEST" };
const QUEUE_ARN = "arn:aws:sqs:eu-central-1:000000000000:q";
const STREAM_ARN = "arn:aws:dynamodb:eu-central-1:000000000000:table/t/stream/2026";

/** type, inputs, the text that names the problem, the text of the remedy */
const CASES: [type: string, inputs: object, problem: string, remedy: string][] = [
  ["apigateway/methodSettings:MethodSettings", { methodPath: "a/GET" }, '"a/GET"', '"*/*"'],
  ["apigateway/restApi:RestApi", {}, "no body", "OpenAPI"],
  ["apigateway/usagePlan:UsagePlan", { quotaSettings: {} }, "quotaSettings", "throttleSettings"],
  ["cloudwatch/eventRule:EventRule", { eventPattern: "{}" }, "eventPattern", "rate(5 minutes)"],
  ["cloudwatch/eventRule:EventRule", {}, "no schedule", "rate(5 minutes)"],
  [
    "cloudwatch/eventRule:EventRule",
    { scheduleExpression: "rate(1 minute)", state: "DISABLED" },
    '"DISABLED"',
    "Leave the rule out",
  ],
  ["cloudwatch/eventRule:EventRule", { isEnabled: false }, "isEnabled", "Leave the rule out"],
  ["cloudwatch/eventTarget:EventTarget", { inputPath: "$.detail" }, "inputPath", "as input"],
  ["cloudwatch/eventTarget:EventTarget", { arn: QUEUE_ARN }, QUEUE_ARN, "Lambda function"],
  [
    "dynamodb/table:Table",
    { ...TABLE, localSecondaryIndexes: [{}] },
    "localSecondaryIndexes",
    "global",
  ],
  [
    "dynamodb/table:Table",
    { ...TABLE, globalSecondaryIndexes: [{ name: "i", keySchemas: [{}] }] },
    "globalSecondaryIndexes.keySchemas",
    "hashKey",
  ],
  ["dynamodb/table:Table", { ...TABLE, replicas: [{}] }, "replicas", "on AWS only"],
  [
    "iam/role:Role",
    { managedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"] },
    "arn:aws:iam::aws:policy/AdministratorAccess",
    "aws.iam.RolePolicy",
  ],
  ["iam/role:Role", { inlinePolicies: [{}] }, "inlinePolicies", "aws.iam.RolePolicy"],
  ["iam/role:Role", { permissionsBoundary: "arn" }, "permissionsBoundary", "out of the program"],
  [
    "iam/rolePolicyAttachment:RolePolicyAttachment",
    { role: "r", policyArn: "arn:aws:iam::aws:policy/AmazonS3FullAccess" },
    "arn:aws:iam::aws:policy/AmazonS3FullAccess",
    "role of its own",
  ],
  ["lambda/eventSourceMapping:EventSourceMapping", { eventSourceArn: QUEUE_ARN }, ":q", "stream"],
  [
    "lambda/eventSourceMapping:EventSourceMapping",
    { ...MAPPING, eventSourceArn: STREAM_ARN, enabled: false },
    "enabled of false",
    "Leave the mapping out",
  ],
  [
    "lambda/eventSourceMapping:EventSourceMapping",
    { ...MAPPING, eventSourceArn: STREAM_ARN, tumblingWindowInSeconds: 10 },
    "tumblingWindowInSeconds",
    "in the function",
  ],
  ["lambda/function:Function", { ...FUNCTION, runtime: "python3.13" }, "python3.13", "nodejs24.x"],
  ["lambda/function:Function", { packageType: "Image" }, '"Image"', "Node.js"],
  ["lambda/function:Function", { ...FUNCTION, s3Bucket: "code" }, "s3Bucket", "archive"],
  ["lambda/function:Function", { ...FUNCTION, layers: ["arn"] }, "layers", "own package"],
  [
    "lambda/function:Function",
    { ...FUNCTION, deadLetterConfig: {} },
    "deadLetterConfig",
    "on-failure",
  ],
  ["lambda/function:Function", { ...FUNCTION, vpcConfig: VPC }, "vpcConfig", "network"],
  ["lambda/function:Function", { ...FUNCTION, memorySize: 64 }, "memorySize of 64", "128 to"],
  ["lambda/function:Function", { ...FUNCTION, timeout: 901 }, "timeout of 901", "1 to 900"],
  ["lambda/function:Function", FUNCTION, "Pulumi archive", "FileArchive"],
  [
    "lambda/function:Function",
    { ...FUNCTION, code: new asset.FileArchive("./code.zip") },
    "./code.zip",
    "folder",
  ],
  [
    "lambda/function:Function",
    { ...FUNCTION, code: new asset.RemoteArchive("https://example.com/code.zip") },
    "https://example.com/code.zip",
    "folder",
  ],
  [
    "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
    { functionName: "f", destinationConfig: { onSuccess: { destination: QUEUE_ARN } } },
    "destinationConfig.onSuccess",
    "in the function",
  ],
  [
    "s3/bucketNotification:BucketNotification",
    { ...BUCKET, lambdaFunctions: [{ ...TARGET, events: ["s3:ObjectRemoved:*"] }] },
    "s3:ObjectRemoved:*",
    "s3:ObjectCreated:*",
  ],
  [
    "s3/bucketNotification:BucketNotification",
    { ...BUCKET, lambdaFunctions: [{ ...TARGET, filterPrefix: "in/" }] },
    "lambdaFunctions.filterPrefix",
    "in the function",
  ],
  ["s3/bucketNotification:BucketNotification", { ...BUCKET, queues: [{}] }, "queues", "Lambda"],
  [
    "s3/bucketNotification:BucketNotification",
    { ...BUCKET, eventbridge: true },
    "eventbridge",
    "Lambda",
  ],
  ["s3/bucket:Bucket", { website: { indexDocument: "index.html" } }, "website", "Leave it out"],
  ["s3/bucket:Bucket", { versioning: { enabled: true } }, "versioning", "Leave it out"],
  ["s3/bucket:Bucket", { corsRules: [{}] }, "corsRules", "aws.s3.BucketCorsConfiguration"],
  ["s3/bucket:Bucket", { policy: "{}" }, "policy", "aws.s3.BucketPolicy"],
  ["s3/bucket:Bucket", { acl: "public-read" }, 'acl of "public-read"', "leave it out"],
  ["s3/bucket:Bucket", { lifecycleRules: [{}] }, "lifecycleRules", "BucketLifecycleConfig"],
  ["s3/bucket:Bucket", { objectLockEnabled: true }, "objectLockEnabled", "on AWS only"],
  ["s3/bucket:Bucket", { region: "eu-west-1" }, 'region of "eu-west-1"', "eu-central-1"],
  ["s3/bucket:Bucket", { inputOfTheFuture: 0 }, "inputOfTheFuture", "Leave it out"],
  ["sns/topic:Topic", { fifoTopic: true }, "fifoTopic", "standard"],
  ["sns/topic:Topic", { policy: "{}" }, "policy", "aws.sns.TopicPolicy"],
  ["sns/topicSubscription:TopicSubscription", { protocol: "https" }, '"https"', '"email"'],
  [
    "sns/topicSubscription:TopicSubscription",
    { protocol: "email", filterPolicy: "{}" },
    "filterPolicy",
    "before publishing",
  ],
  ["sqs/queue:Queue", { fifoQueue: true }, "fifoQueue", "standard"],
  ["sqs/queue:Queue", { delaySeconds: 901 }, "delaySeconds of 901", "0 to 900"],
  ["sqs/queue:Queue", { policy: "{}" }, "policy", "aws.sqs.QueuePolicy"],
  ["kinesis/stream:Stream", {}, "aws:kinesis/stream:Stream", "Add a resource type"],
];

describe("resources that are not served", () => {
  let test: TestCloud;

  before(async () => {
    test = await openCloud();
  });

  after(() => test.close());

  for (const [type, inputs, problem, remedy] of CASES) {
    it(`refuses ${type} with its name, "${problem}" and the remedy "${remedy}"`, async () => {
      const error = await test.make(type, "thing", inputs).catch((caught: unknown) => caught);

      expect(error).to.be.instanceOf(Error);
      const { message } = error as Error;
      expect(message).to.contain('"thing"').and.contain(problem).and.contain(remedy);
    });
  }

  it("accepts inputs without an effect, and those that have the provider's default", async () => {
    await test.make("s3/bucket:Bucket", "defaults", {
      acl: "private",
      corsRules: [],
      forceDestroy: true,
      objectLockEnabled: false,
      region: REGION,
      tags: { stage: "test" },
      versioning: { enabled: false, mfaDelete: false },
      website: undefined,
    });
  });

  it("accepts the code of a function as strings, files and folders, with paths inside", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "archive-"));
    writeFileSync(path.join(folder, "name.json"), '"disk"');
    const code = new asset.AssetArchive({
      "index.js": new asset.StringAsset(
        'exports.handler = async () => [require("./a/name.json"), require("./b/c/name.json")];',
      ),
      "a/name.json": new asset.FileAsset(path.join(folder, "name.json")),
      b: new asset.AssetArchive({ c: new asset.FileArchive(folder) }),
    });
    const { arn: role } = await test.make("iam/role:Role", "files", {});
    await test.make("lambda/function:Function", "files", {
      ...FUNCTION,
      name: "files",
      role,
      code,
    });

    const { payload } = await test.cloud.lambda.invoke("files", {});
    rmSync(folder, { recursive: true });

    expect(payload).to.equal('["disk","disk"]');
  });

  it("names a file of the code that does not exist", async () => {
    const { arn: role } = await test.make("iam/role:Role", "missing", {});
    const code = new asset.AssetArchive({ "index.js": new asset.FileAsset("/no/such/file.js") });

    const made = test.make("lambda/function:Function", "missing", { ...FUNCTION, role, code });
    const error = await made.catch((caught: unknown) => caught);

    expect(String(error)).to.contain("/no/such/file.js");
  });
});

describe("a program that is not served", () => {
  it("rejects at start the managed policy of a callback without a role", async () => {
    const start = startRun({ programDir: path.join(FIXTURES, "withoutRole"), port: 0 });
    const error = await start.catch((caught: unknown) => caught);

    expect(String(error)).to.contain("arn:aws:iam::aws:policy/").and.contain("role of its own");
  });

  for (const [kind, name, remedy] of [
    ["bucket", '"existing-bucket" (aws:s3/bucket:Bucket) with the id "existing"', '"new"'],
    ["table", '"existing-table" (aws:dynamodb/table:Table) with the id "existing"', '"new"'],
    ["queue", '"existing-queue" (aws:sqs/queue:Queue) with the id "https://queue"', '"new"'],
    ["stack", '"acme/network/dev" (pulumi:pulumi:StackReference)', "stack's settings"],
  ] as const) {
    it(`stops the start with the existing ${kind} that the program reads or imports`, async () => {
      const programDir = path.join(FIXTURES, "existing");
      const start = startRun({ programDir, port: 0, config: { kind } });
      const error = await start.catch((caught: unknown) => caught);

      expect(String(error)).to.contain(name).and.contain(remedy);
    });
  }

  it("stops the start in a folder without Pulumi.yaml", async () => {
    const error = await startRun({ programDir: FIXTURES, port: 0 }).catch(
      (caught: unknown) => caught,
    );

    expect(String(error)).to.contain(FIXTURES).and.contain("Pulumi.yaml");
  });
});
