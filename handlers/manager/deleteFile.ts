import { DeleteObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import type { APIGatewayProxyResult } from "aws-lambda";
import type { FileEvent } from "../../events/event";
import { parseUploadKey } from "../../events/identity";
import { asError } from "../../runtime/awsErrors";
import { httpError } from "../../runtime/http";
import { logInfo } from "../../runtime/log";
import { deleteEvent, endRetries } from "../../store/eventStore";
import { findEvent } from "./findEvent";
import { parametersOf } from "./parameters";
import type { Manager, ManagerRequest } from "./request";

/** S3's answers to a conditional delete of what is not, or no longer, there. */
const NOT_THERE = ["PreconditionFailed", "NoSuchKey", "NotFound"];

/** Between the time that S3 keeps for an object, in seconds, and the time of its event. */
const EVENT_TIME_TOLERANCE_MS = 2000;

/** Whether the object's key is this event's alone. */
function isUpload({ event_id, event_info }: FileEvent): boolean {
  return parseUploadKey(event_info.Key)?.event_id === event_id;
}

/**
 * Whether the object under the key was written after the event: it is another event's then, also
 * where its bytes are the same.
 */
async function isWrittenAnew({ s3 }: Manager, event: FileEvent): Promise<boolean> {
  const { Bucket, Key } = event.event_info;
  const { LastModified } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  const writtenAt = LastModified?.getTime() ?? 0;
  return writtenAt > Date.parse(event.event_timestamp) + EVENT_TIME_TOLERANCE_MS;
}

/**
 * Deletes the event's object. The key of an upload is its event's alone. Any other key may have been
 * written again since: that object belongs to another event, and stays.
 */
async function deleteObject(manager: Manager, event: FileEvent): Promise<void> {
  const { Bucket, Key, ETag } = event.event_info;
  const own = isUpload(event);
  try {
    if (!own && (await isWrittenAnew(manager, event))) {
      logInfo("The object is another event's.", { event_id: event.event_id, Key });
      return;
    }
    const IfMatch = own || !ETag ? undefined : ETag;
    await manager.s3.send(new DeleteObjectCommand({ Bucket, Key, IfMatch }));
  } catch (error) {
    if (!NOT_THERE.includes(asError(error).name)) {
      throw error;
    }
    logInfo("The object is gone, or another event's, already.", { event_id: event.event_id, Key });
  }
}

function notFinished(status: string) {
  return httpError(
    409,
    "not_finished",
    `The event is ${status}: only notified and failed ones can be deleted.`,
  );
}

/**
 * The event that is to be deleted: finished, and from now on for good.
 *
 * @throws an `HttpError` 404 or 409
 */
async function finishedEvent({ store }: Manager, eventId: string): Promise<FileEvent> {
  for (;;) {
    const event = await findEvent(store, eventId);
    if (event.event_status !== "notified" && event.event_status !== "failed") {
      throw notFinished(event.event_status);
    }
    // Else a retry might come between, and find the file gone.
    if (event.event_status === "notified" || (await endRetries(store, event))) {
      return event;
    }
  }
}

/** `DELETE /events/{event_id}`: deletes the object, and then the row, of a finished event. */
export async function deleteFile(
  manager: Manager,
  { event: request, eventId }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(request, []);
  const event = await finishedEvent(manager, eventId);
  // In this order: without its row, an object would be nobody's.
  await deleteObject(manager, event);
  if (!(await deleteEvent(manager.store, event))) {
    throw notFinished("on its way again");
  }
  if (isUpload(event)) {
    // A repeated request may have put it anew in between, and taken the row for its own.
    await deleteObject(manager, event);
  }
  logInfo("An event was deleted.", { event_id: event.event_id, key: event.event_info.Key });
  return { statusCode: 204, headers: { "Cache-Control": "no-store" }, body: "" };
}
