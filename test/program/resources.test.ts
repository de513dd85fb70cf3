import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { DEFAULTS } from "../../config";
import { REGION, restApiId } from "../../testing/mockedAws";
import {
  ofType,
  only,
  OTHER_SETTINGS,
  type Recording,
  recordProgram,
  valueOf,
} from "../../testing/recordingMocks";
import { ALARM_TOPIC, LAMBDAS, QUEUE_URL, TOPIC } from "./names";

function typesOf({ registrations }: Recording): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of registrations) {
    counts[type] = (counts[type] ?? 0) + 1;
  }
  return counts;
}

async function secretOutputsOf({ outputs }: Recording): Promise<string[]> {
  const secrets: string[] = [];
  for (const [name, output] of Object.entries(outputs)) {
    if (await pulumi.isSecret(pulumi.output(output))) {
      secrets.push(name);
    }
  }
  return secrets;
}
describe("The program", () => {
  let recording: Recording;

  before(async () => {
    recording = await recordProgram();
  });

  it("runs without an error, and calls AWS for the account id only", () => {
    expect(recording.error).to.equal(undefined);
    expect(recording.rejections).to.deep.equal([]);
    expect(recording.calls).to.deep.equal(["aws:index/getCallerIdentity:getCallerIdentity"]);
  });

  it("registers exactly these resources", () => {
    expect(typesOf(recording)).to.deep.equal({
      "aws:apigateway/apiKey:ApiKey": 1,
      "aws:apigateway/deployment:Deployment": 3,
      "aws:apigateway/methodSettings:MethodSettings": 3,
      "aws:apigateway/restApi:RestApi": 3,
      "aws:apigateway/stage:Stage": 3,
      "aws:apigateway/usagePlan:UsagePlan": 1,
      "aws:apigateway/usagePlanKey:UsagePlanKey": 1,
      "aws:apigateway:x:API": 3,
      "aws:cloudwatch/eventRule:EventRule": 1,
      "aws:cloudwatch/eventTarget:EventTarget": 1,
      "aws:cloudwatch/logGroup:LogGroup": 7,
      "aws:dynamodb/table:Table": 4,
      "aws:iam/role:Role": 7,
      "aws:iam/rolePolicy:RolePolicy": 10,
      "aws:lambda/eventSourceMapping:EventSourceMapping": 2,
      "aws:lambda/function:Function": 7,
      "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": 1,
      "aws:lambda/permission:Permission": 9,
      "aws:s3/bucket:Bucket": 1,
      "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": 1,
      "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": 1,
      "aws:s3/bucketNotification:BucketNotification": 1,
      "aws:s3/bucketOwnershipControls:BucketOwnershipControls": 1,
      "aws:s3/bucketPolicy:BucketPolicy": 1,
      "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 1,
      "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": 1,
      "aws:sns/topic:Topic": 2,
      "aws:sns/topicPolicy:TopicPolicy": 2,
      "aws:sns/topicSubscription:TopicSubscription": 2,
      "aws:sqs/queue:Queue": 1,
      "aws:sqs/queuePolicy:QueuePolicy": 1,
      "random:index/randomBytes:RandomBytes": 2,
      "s3-uploader:events:EventTable": 1,
      "s3-uploader:lambda:CallbackLambda": 7,
      "s3-uploader:links:LinkApi": 1,
      "s3-uploader:links:LinkTable": 1,
      "s3-uploader:manager:EventManager": 1,
      "s3-uploader:notify:Notifier": 2,
      "s3-uploader:queue:DeadLetterQueue": 1,
      "s3-uploader:schedule:Schedule": 1,
      "s3-uploader:uploads:IdempotencyTable": 1,
      "s3-uploader:uploads:UploadApi": 1,
      "s3-uploader:uploads:UploadBucket": 1,
    });
  });

  it("gives every resource a component as its parent", () => {
    const orphans = recording.registrations.filter(({ custom, parent }) => custom && parent === "");
    expect(orphans).to.deep.equal([]);
  });

  it("creates first the resources that others need from their start", () => {
    const needs = [
      ...LAMBDAS.map((name) => ["Function", name, `aws:iam/rolePolicy:RolePolicy ${name}`]),
      ["BucketNotification", "record", "aws:lambda/permission:Permission record"],
      [
        "BucketNotification",
        "record",
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig record",
      ],
      ["FunctionEventInvokeConfig", "record", "aws:iam/rolePolicy:RolePolicy record-dead-letters"],
      ["EventTarget", "sweep", "aws:lambda/permission:Permission sweep-schedule"],
      ["EventSourceMapping", "events-process", "aws:iam/rolePolicy:RolePolicy process-stream"],
      ["EventSourceMapping", "events-notify", "aws:iam/rolePolicy:RolePolicy notify-stream"],
      // S3 refuses two changes of a bucket's access at the same time.
      ["BucketPolicy", "uploads", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock uploads"],
      ["BucketPolicy", "uploads", "aws:s3/bucketOwnershipControls:BucketOwnershipControls uploads"],
    ];
    for (const [type = "", name = "", needed = ""] of needs) {
      expect(only(recording, type, name).dependencies, `${type} ${name}`).to.include(needed);
    }
  });

  it("has outputs with the URLs, and the names of bucket, table, topics and queue", async () => {
    const outputs: Record<string, unknown> = {};
    for (const [name, output] of Object.entries(recording.outputs)) {
      outputs[name] = await valueOf(output);
    }
    const stageOf = (api: string) =>
      `https://${restApiId(api)}.execute-api.${REGION}.amazonaws.com/stage`;
    const uploadUrl = `${stageOf("uploads")}/upload`;
    expect(outputs).to.deep.equal({
      managerUrl: stageOf("manager"),
      consoleUrl: `${stageOf("manager")}/console`,
      managerApiKey: "a-key-for-the-header-x-api-key",
      linkUrl: stageOf("links"),
      uploadUrl,
      uploadCommand:
        "curl -X POST -H 'Content-type: image/jpeg' --data-binary '@sample.jpg' " +
        `'${uploadUrl}?filename=sample.jpg'`,
      bucketName: "uploads-1a2b3c4",
      tableName: "events-1a2b3c4",
      topicArn: TOPIC,
      alarmTopicArn: ALARM_TOPIC,
      deadLetterQueueUrl: QUEUE_URL,
      email: DEFAULTS.email,
      nextSteps: [
        `Confirm the subscriptions: AWS sends a mail with a link for each to ${DEFAULTS.email}.`,
        `Upload a file: ${String(outputs.uploadCommand)}`,
        "Anyone who has the URL may upload. To require a key: " +
          "npx pulumi config set requireApiKey true && npx pulumi up",
        "See what became of it: npm run events -- list (README.md, step 6, has its URL and key).",
      ],
    });
  });

  it("marks the keys among its outputs as secret, and no other", async () => {
    const keyed = await recordProgram(OTHER_SETTINGS);
    expect(await secretOutputsOf(recording)).to.deep.equal(["managerApiKey"]);
    expect(await secretOutputsOf(keyed)).to.have.members(["managerApiKey", "uploadApiKey"]);
  });

  it("marks each input that holds a secret for the engine", () => {
    const secrets = recording.registrations.flatMap(({ type, name, secretInputs }) =>
      secretInputs.map((input) => `${type} ${name} ${input}`),
    );
    expect(secrets).to.have.members([
      "aws:lambda/function:Function links environment",
      "aws:lambda/function:Function manager environment",
    ]);
  });

  it("uses names that AWS accepts, with the seven characters that Pulumi adds", () => {
    const rules: Record<string, RegExp> = {
      Bucket: /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
      EventRule: /^[\w.-]{1,64}$/,
      Function: /^[\w-]{1,64}$/,
      Permission: /^[\w-]{1,100}$/,
      Queue: /^[\w-]{1,80}$/,
      Role: /^[\w+=,.@-]{1,64}$/,
      RolePolicy: /^[\w+=,.@-]{1,128}$/,
      Table: /^[\w.-]{3,255}$/,
      Topic: /^[\w-]{1,256}$/,
    };
    for (const [type, rule] of Object.entries(rules)) {
      for (const { name, inputs: resource } of ofType(recording, type)) {
        expect(resource, `${type} ${name} leaves its name to Pulumi`).not.to.have.property("name");
        expect(`${name}-1a2b3c4`, type).to.match(rule);
      }
    }
    for (const { inputs: group } of ofType(recording, "LogGroup")) {
      // Pulumi allows a project and a stack of 100 characters each; AWS adds 26.
      expect(group.namePrefix).to.match(/^[\w\-/.#]{1,286}$/);
    }
  });
});
