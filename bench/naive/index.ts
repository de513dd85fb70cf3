/**
 * A naive pipeline, for comparison: every change of the table invokes both stream Lambdas, which read
 * each row before they write it, and every file has its own mail.
 */
import * as aws from "@pulumi/aws";
import { DeadLetterQueue } from "../../components/deadLetterQueue";
import { EventTable } from "../../components/eventTable";
import { IdempotencyTable } from "../../components/idempotencyTable";
import { CallbackLambda } from "../../components/lambda/callbackLambda";
import { Notifier } from "../../components/notifier";
import { type Grant, grantsDocument } from "../../components/policy";
import { UploadApi } from "../../components/uploadApi";
import { UploadBucket } from "../../components/uploadBucket";
import { loadSettings } from "../../config";
import { LARGER_FILES } from "../../handlers/upload/largerFiles";

/** The default of `table.onEvent`. */
const BATCH_SIZE = 100;

const settings = loadSettings();
const { logRetentionDays } = settings;

const deadLetters = new DeadLetterQueue("dead-letters");
const bucket = new UploadBucket("uploads", { ...settings, deadLetters });
const idempotency = new IdempotencyTable("uploads-idempotency");
const uploads = new UploadApi("uploads", { ...settings, largerFiles: LARGER_FILES });
const notifier = new Notifier("notifier", settings);
const events = new EventTable("events", { statusShards: 1, deadLetters, alarms: notifier });

const uploadLambda = new CallbackLambda("upload", {
  callbackFactory: async (environment) =>
    (await import("../../handlers/upload/upload.ts")).uploadHandler(environment),
  description: "Stores an uploaded file and writes its row",
  links: [bucket.storing(), idempotency.reserving(), events.recording(), uploads.accepting()],
  limits: { timeoutSeconds: 29, memoryMegabytes: 512, logRetentionDays },
});

const recordLambda = new CallbackLambda("record", {
  callbackFactory: async (environment) => (await import("./record.ts")).recordHandler(environment),
  description: "Writes a row for each new object in the bucket",
  links: [events.reading(), events.recording()],
  limits: { timeoutSeconds: 30, memoryMegabytes: 256, logRetentionDays },
});
bucket.onObjectCreated(recordLambda);

const processLambda = new CallbackLambda("process", {
  callbackFactory: async (environment) =>
    (await import("./process.ts")).processHandler(environment),
  description: "Inspects a stored file",
  links: [bucket.reading(), events.reading(), events.advancing()],
  limits: { timeoutSeconds: 60, memoryMegabytes: 512, logRetentionDays },
});
onEveryChange(processLambda);

const notifyLambda = new CallbackLambda("notify", {
  callbackFactory: async (environment) => (await import("./notify.ts")).notifyHandler(environment),
  description: "Sends a mail for each processed file",
  links: [events.reading(), events.advancing(), notifier.publishing("TOPIC_ARN")],
  limits: { timeoutSeconds: 60, memoryMegabytes: 256, logRetentionDays },
});
onEveryChange(notifyLambda);

function onEveryChange(lambda: CallbackLambda): void {
  const readStream: Grant = {
    actions: [
      "dynamodb:DescribeStream",
      "dynamodb:GetRecords",
      "dynamodb:GetShardIterator",
      "dynamodb:ListStreams",
    ],
    resources: [events.table.streamArn],
  };
  const policy = new aws.iam.RolePolicy(`${lambda.name}-stream`, {
    role: lambda.role.id,
    policy: grantsDocument([readStream]),
  });
  new aws.lambda.EventSourceMapping(
    lambda.name,
    {
      eventSourceArn: events.table.streamArn,
      functionName: lambda.function.arn,
      startingPosition: "TRIM_HORIZON",
      batchSize: BATCH_SIZE,
    },
    { dependsOn: [policy] },
  );
}

export const { uploadUrl } = uploads.onUpload(uploadLambda).outputs;
export const { bucketName } = bucket;
export const { tableName } = events;
export const deadLetterQueueUrl = deadLetters.queueUrl;
