import { DeadLetterQueue } from "./components/deadLetterQueue";
import { EventManager } from "./components/eventManager";
import { EventTable } from "./components/eventTable";
import { CallbackLambda } from "./components/lambda/callbackLambda";
import { Notifier } from "./components/notifier";
import { Schedule } from "./components/schedule";
import { UploadApi } from "./components/uploadApi";
import { loadSettings } from "./config";
import { START_STATUSES } from "./events/event";
import { managerHandler } from "./handlers/manager/manager";
import { notifyHandler } from "./handlers/notify/notify";
import { inspectFile } from "./handlers/process/inspectFile";
import { processHandler } from "./handlers/process/process";
import { recordHandler } from "./handlers/record/record";
import { sweepHandler } from "./handlers/sweep/sweep";
import { uploadHandler } from "./handlers/upload/upload";

const settings = loadSettings();
const { logRetentionDays, digestSeconds } = settings;

const uploads = new UploadApi("uploads", settings);
const events = new EventTable("events", settings);
const manager = new EventManager("manager", settings);
const notifier = new Notifier("notifier", settings);
const alarms = new Notifier("alarms", { emails: settings.alarmEmails });
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
  grants: [
    uploads.storeUploads(),
    uploads.reserveUploads(),
    events.putEvents(),
    events.reopenPeriods(),
  ],
  timeoutSeconds: 29,
  memoryMegabytes: 512,
  logRetentionDays,
});
const api = uploads.onUpload(uploadLambda);

const recordLambda = new CallbackLambda("record", {
  description: "Writes a row for each object that came into the bucket",
  callbackFactory: recordHandler,
  environment: {
    ...events.countsEnvironment(),
    STUCK_SECONDS: String(settings.stuckSeconds),
  },
  grants: [events.readEvent(), events.putEvents(), events.reopenPeriods()],
  timeoutSeconds: 30,
  memoryMegabytes: 256,
  logRetentionDays,
});
uploads.onObjectCreated("record", recordLambda, deadLetters);

const processLambda = new CallbackLambda("process", {
  description: "Finds out what a stored file is",
  callbackFactory: (environment) => processHandler(environment, inspectFile),
  environment: events.environment(),
  grants: [uploads.readObjects(), events.advanceEvents()],
  timeoutSeconds: 60,
  memoryMegabytes: 512,
  logRetentionDays,
});
events.onStatus("process", START_STATUSES, processLambda, { batchSize: 100, deadLetters });

const notifyLambda = new CallbackLambda("notify", {
  description: "Tells people of processed files, and of failed ones",
  callbackFactory: notifyHandler,
  environment: {
    ...events.environment(),
    TOPIC_ARN: notifier.topicArn,
    ALARM_TOPIC_ARN: alarms.topicArn,
  },
  grants: [events.readEvents(), events.advanceEvents(), notifier.publish(), alarms.publish()],
  timeoutSeconds: 60,
  memoryMegabytes: 256,
  logRetentionDays,
});
events.onStatus("notify", ["processed"], notifyLambda, {
  batchSize: 1000,
  batchingWindowSeconds: digestSeconds,
  deadLetters,
  alsoUnalarmedFailures: true,
});

const sweepLambda = new CallbackLambda("sweep", {
  description: "Drives on what got stuck, and finds what got lost",
  callbackFactory: sweepHandler,
  environment: {
    ...events.countsEnvironment(),
    BUCKET_NAME: uploads.bucketName,
    DEAD_LETTER_QUEUE_URL: deadLetters.queueUrl,
    STUCK_SECONDS: String(settings.stuckSeconds),
    MAX_ATTEMPTS: String(settings.maxAttempts),
  },
  grants: [
    events.queryByStatus(),
    events.readEvents(),
    events.putEvents(),
    events.advanceEvents(),
    events.sealPeriods(),
    uploads.listUploads(),
    deadLetters.drain(),
  ],
  timeoutSeconds: 120,
  memoryMegabytes: 256,
  logRetentionDays,
});
new Schedule("sweep", { everyMinutes: settings.sweepMinutes, lambda: sweepLambda });

const managerLambda = new CallbackLambda("manager", {
  description: "Serves the event manager's API",
  callbackFactory: managerHandler,
  files: manager.files,
  environment: {
    ...events.countsEnvironment(),
    BUCKET_NAME: uploads.bucketName,
    RESERVATIONS_TABLE_NAME: uploads.reservations.name,
    ALLOWED_CONTENT_TYPES: settings.allowedContentTypes.join(","),
    CURSOR_SECRET: manager.cursorSecret,
    UPLOAD_URL: api.uploadUrl,
    MAX_UPLOAD_BYTES: String(settings.maxUploadBytes),
    UPLOAD_NEEDS_KEY: String(settings.requireApiKey),
  },
  grants: [
    events.queryByStatus(),
    events.findEvents(),
    events.readEvent(),
    events.advanceEvents(),
    events.deleteEvents(),
    events.readCounts(),
    events.reopenPeriods(),
    uploads.storeUploads(),
    uploads.reserveUploads(),
    uploads.readObjects(),
    uploads.listUploads(),
    uploads.deleteObjects(),
  ],
  timeoutSeconds: 29,
  memoryMegabytes: 512,
  logRetentionDays,
});

export const { managerUrl, managerApiKey } = manager.onRequest(managerLambda);
export const { uploadUrl, uploadCommand, uploadApiKey } = api;
export const { bucketName } = uploads;
export const { tableName } = events;
export const { topicArn } = notifier;
export const alarmTopicArn = alarms.topicArn;
export const deadLetterQueueUrl = deadLetters.queueUrl;
export const email = settings.emails.join(", ");
