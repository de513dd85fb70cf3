import { DeadLetterQueue } from "./components/deadLetterQueue";
import { EventManager } from "./components/eventManager";
import { EventTable } from "./components/eventTable";
import { IdempotencyTable } from "./components/idempotencyTable";
import { CallbackLambda } from "./components/lambda/callbackLambda";
import { joined } from "./components/link";
import { LinkApi } from "./components/links/linkApi";
import { LinkTable } from "./components/links/linkTable";
import { Notifier } from "./components/notifier";
import { operatorOutputs } from "./components/outputs";
import { Schedule } from "./components/schedule";
import { UploadApi } from "./components/uploadApi";
import { UploadBucket } from "./components/uploadBucket";
import { loadSettings } from "./config";
import { LINK_PREFIX } from "./events/identity";
import { LARGER_FILES } from "./handlers/upload/largerFiles";

const settings = loadSettings();
const { logRetentionDays, stuckSeconds, maxAttempts } = settings;
const deadLetters = new DeadLetterQueue("dead-letters");
const bucket = new UploadBucket("uploads", { ...settings, deadLetters });
const idempotency = new IdempotencyTable("uploads-idempotency", settings);
const links = new LinkTable("links", settings);
const alarms = new Notifier("alarms", { emails: settings.alarmEmails });
const events = new EventTable("events", { ...settings, deadLetters, alarms });
const uploads = new UploadApi("uploads", { ...settings, largerFiles: LARGER_FILES });
const linkApi = new LinkApi("links", settings);
const manager = new EventManager("manager", settings);
const mails = new Notifier("notifier", settings);

const uploadLambda = new CallbackLambda("upload", {
  callbackFactory: async (environment) =>
    (await import("./handlers/upload/upload.ts")).uploadHandler(environment),
  description: "Stores an uploaded file and writes its row",
  links: [bucket.storing(), idempotency.uploading(), events.recording(), uploads.accepting()],
  limits: { timeoutSeconds: 29, memoryMegabytes: 512, logRetentionDays },
});
const uploadApi = uploads.onUpload(uploadLambda);

const recordingObjects = joined(idempotency.guarding(), links.confirming());
const recordLambda = new CallbackLambda("record", {
  callbackFactory: async (environment) =>
    (await import("./handlers/record/record.ts")).recordHandler(environment),
  description: "Writes a row for each new object in the bucket",
  links: [events.reading(), events.recording(), recordingObjects, bucket.cleaning()],
  environment: { STUCK_SECONDS: String(stuckSeconds) },
  limits: { timeoutSeconds: 30, memoryMegabytes: 256, logRetentionDays },
});
bucket.onObjectCreated(recordLambda);

const processLambda = new CallbackLambda("process", {
  callbackFactory: async (environment) => {
    const { processHandler } = await import("./handlers/process/process.ts");
    const { inspectFile } = await import("./handlers/process/inspectFile.ts");
    return processHandler(inspectFile)(environment);
  },
  description: "Inspects a stored file",
  links: [bucket.reading(), events.advancing(), uploads.checking()],
  environment: { MAX_ATTEMPTS: String(maxAttempts) },
  limits: { timeoutSeconds: 60, memoryMegabytes: 512, logRetentionDays },
});
events.onStatus(["created", "uploaded"], processLambda, { batchSize: 100 });

const notifyLambda = new CallbackLambda("notify", {
  callbackFactory: async (environment) =>
    (await import("./handlers/notify/notify.ts")).notifyHandler(environment),
  description: "Publishes notifications of processed files, and alarms about failed ones",
  links: [events.notifying(), mails.publishing("TOPIC_ARN"), alarms.publishing("ALARM_TOPIC_ARN")],
  limits: { timeoutSeconds: 60, memoryMegabytes: 256, logRetentionDays },
});
events.onStatus(["processed"], notifyLambda, {
  batchSize: 1000,
  batchingWindowSeconds: settings.digestSeconds,
  alsoUnalarmedFailures: true,
});

const sweepLambda = new CallbackLambda("sweep", {
  callbackFactory: async (environment) =>
    (await import("./handlers/sweep/sweep.ts")).sweepHandler(environment),
  description: "Resumes stuck events, and writes missing rows",
  links: [events.sweeping(), bucket.sweeping(), recordingObjects, deadLetters.draining()],
  environment: { STUCK_SECONDS: String(stuckSeconds), MAX_ATTEMPTS: String(maxAttempts) },
  limits: { timeoutSeconds: 120, memoryMegabytes: 512, logRetentionDays },
});
new Schedule("sweep", { everyMinutes: settings.sweepMinutes, lambda: sweepLambda });

const linksLambda = new CallbackLambda("links", {
  callbackFactory: async (environment) =>
    (await import("./handlers/links/links.ts")).linksHandler(environment),
  description: "Serves upload links: begins, signs, completes and aborts their uploads",
  links: [links.claiming(), bucket.signingParts(LINK_PREFIX), events.reading(), linkApi.serving()],
  files: linkApi.files,
  limits: { timeoutSeconds: 29, memoryMegabytes: 512, logRetentionDays },
});
const servedLinks = linkApi.onRequest(linksLambda);

const urls = joined(uploadApi.describing(), servedLinks.describing());
const managerLambda = new CallbackLambda("manager", {
  callbackFactory: async (environment) =>
    (await import("./handlers/manager/manager.ts")).managerHandler(environment),
  description: "Serves the event manager's API",
  links: [events.managing(), bucket.managing(), idempotency.reserving(), links.managing(), urls],
  environment: { CURSOR_SECRET: manager.cursorSecret, STUCK_SECONDS: String(stuckSeconds) },
  files: manager.files,
  limits: { timeoutSeconds: 29, memoryMegabytes: 512, logRetentionDays },
});
const managerApi = manager.onRequest(managerLambda);
bucket.allowOrigins([managerApi.managerUrl, servedLinks.outputs.linkUrl]);

export = {
  ...managerApi,
  ...uploadApi.outputs,
  ...servedLinks.outputs,
  bucketName: bucket.bucketName,
  tableName: events.tableName,
  topicArn: mails.topicArn,
  alarmTopicArn: alarms.topicArn,
  deadLetterQueueUrl: deadLetters.queueUrl,
  ...operatorOutputs({ ...settings, ...uploadApi.outputs }, [bucket, events, idempotency, links]),
};
