/**
 * A naive pipeline, for comparison: every change of the table invokes both stream Lambdas, which read
 * each row before they write it, and every file has its own mail.
 */
import * as aws from "@pulumi/aws";
import { DeadLetterQueue } from "../../components/deadLetterQueue";
import { EventTable } from "../../components/eventTable";
import { CallbackLambda } from "../../components/lambda/callbackLambda";
import { Notifier } from "../../components/notifier";
import { type Grant, grantsDocument } from "../../components/policy";
import { UploadApi } from "../../components/uploadApi";
import { loadSettings } from "../../config";
import { uploadHandler } from "../../handlers/upload/upload";
import { notifyHandler } from "./notify";
import { processHandler } from "./process";
import { recordHandler } from "./record";

/** The default of `table.onEvent`. */
const BATCH_SIZE = 100;

const settings = loadSettings();
const { logRetentionDays } = settings;

const uploads = new UploadApi("uploads", settings);
const events = new EventTable("events", { statusShards: 1 });
const notifier = new Notifier("notifier", settings);
const deadLetters = new DeadLetterQueue("dead-letters");

const uploadLambda = new CallbackLambda("upload", {
  description: "Stores an uploaded file and writes its row",
  callbackFactory: uploadHandler,
  environment: {
    BUCKET_NAME: uploads.bucketName,
    ...events.countsEnvironment(),
    RESERVATIONS_TABLE_NAME: uploads.reservations.name,
    MAX_UPLOAD_BYTES: String(settings.maxUploadBytes),
    ALLOWED_CONTENT_TYPES: settings.allowedContentTypes.join(","),
  },
  grants: [uploads.storeUploads(), uploads.reserveUploads(), events.putEvents()],
  timeoutSeconds: 29,
  memoryMegabytes: 512,
  logRetentionDays,
});

const recordLambda = new CallbackLambda("record", {
  description: "Writes a row for each new object in the bucket",
  callbackFactory: recordHandler,
  environment: events.countsEnvironment(),
  grants: [events.readEvent(), events.putEvents()],
  timeoutSeconds: 30,
  memoryMegabytes: 256,
  logRetentionDays,
});
uploads.onObjectCreated("record", recordLambda, deadLetters);

const processLambda = new CallbackLambda("process", {
  description: "Inspects a stored file",
  callbackFactory: processHandler,
  environment: { TABLE_NAME: events.tableName },
  grants: [uploads.readObjects(), events.readEvent(), events.advanceEvents()],
  timeoutSeconds: 60,
  memoryMegabytes: 512,
  logRetentionDays,
});
onEveryChange("process", processLambda);

const notifyLambda = new CallbackLambda("notify", {
  description: "Sends a mail for each processed file",
  callbackFactory: notifyHandler,
  environment: { TABLE_NAME: events.tableName, TOPIC_ARN: notifier.topicArn },
  grants: [events.readEvent(), events.advanceEvents(), notifier.publish()],
  timeoutSeconds: 60,
  memoryMegabytes: 256,
  logRetentionDays,
});
onEveryChange("notify", notifyLambda);

function onEveryChange(name: string, lambda: CallbackLambda): void {
  const readStream: Grant = {
    actions: [
      "dynamodb:DescribeStream",
      "dynamodb:GetRecords",
      "dynamodb:GetShardIterator",
      "dynamodb:ListStreams",
    ],
    resources: [events.table.streamArn],
  };
  const policy = new aws.iam.RolePolicy(`${name}-stream`, {
    role: lambda.role.id,
    policy: grantsDocument([readStream]),
  });
  new aws.lambda.EventSourceMapping(
    name,
    {
      eventSourceArn: events.table.streamArn,
      functionName: lambda.function.arn,
      startingPosition: "TRIM_HORIZON",
      batchSize: BATCH_SIZE,
    },
    { dependsOn: [policy] },
  );
}

export const { uploadUrl } = uploads.onUpload(uploadLambda);
export const { bucketName } = uploads;
export const { tableName } = events;
export const deadLetterQueueUrl = deadLetters.queueUrl;
