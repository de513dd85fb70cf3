import { DeleteObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import type { APIGatewayProxyResult } from "aws-lambda";
import { quotedETag } from "../../events/eTag";
import type { FileEvent } from "../../events/event";
import { hasUniqueKey } from "../../events/identity";
import { asError } from "../../runtime/awsErrors";
import { emptyResponse, httpError } from "../../runtime/http";
import { logInfo } from "../../runtime/log";
import { parametersOf } from "../../runtime/parameters";
import { deleteEvent } from "../../store/rows";
import { putTombstone } from "../../store/tombstones";
import { preventRetry } from "../../store/transitions";
import { isWrittenAfter } from "./downloadLink";
import type { ManagerContext, ManagerRequest } from "./request";
import { requireEvent } from "./requireEvent";

/** S3's errors where the object does not exist or is another one. */
const NOT_FOUND = ["PreconditionFailed", "NoSuchKey", "NotFound"];

/** Whether the object was written after the event, and so belongs to another one. */
async function isOverwritten({ s3 }: ManagerContext, event: FileEvent): Promise<boolean> {
  const { Bucket, Key } = event.event_info;
  const { LastModified } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  return isWrittenAfter(event, LastModified);
}

/** Deletes the event's object, unless the key was written again: that object is another event's. */
async function deleteObject(manager: ManagerContext, event: FileEvent): Promise<void> {
  const { Bucket, Key, ETag } = event.event_info;
  const isOwnKey = hasUniqueKey(event);
  try {
    if (!isOwnKey && (await isOverwritten(manager, event))) {
      logInfo("Object not deleted: it belongs to another event.", {
        event_id: event.event_id,
        Key,
      });
      return;
    }
    const IfMatch = isOwnKey ? undefined : quotedETag(ETag);
    await manager.s3.send(new DeleteObjectCommand({ Bucket, Key, IfMatch }));
  } catch (error) {
    if (!NOT_FOUND.includes(asError(error).name)) {
      throw error;
    }
    logInfo("Object not deleted: it does not exist, or belongs to another event.", {
      event_id: event.event_id,
      Key,
    });
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
 * The event to delete: finished, and excluded from retries.
 *
 * @throws an `HttpError` 404 or 409
 */
async function finishedEvent({ store }: ManagerContext, eventId: string): Promise<FileEvent> {
  for (;;) {
    const event = await requireEvent(store, eventId);
    if (event.event_status !== "notified" && event.event_status !== "failed") {
      throw notFinished(event.event_status);
    }
    // A retry in between would not find the file.
    if (event.event_status === "notified" || (await preventRetry(store, event))) {
      return event;
    }
  }
}

/** `DELETE /events/{event_id}`: deletes the object and the row of a finished event. */
export async function deleteFile(
  manager: ManagerContext,
  { event: request, path }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(request, []);
  const event = await finishedEvent(manager, path.event_id);
  // First, so that what arrives from now on brings nothing back.
  await putTombstone(manager.store, event);
  // The row last: without it, nothing would refer to the object.
  await deleteObject(manager, event);
  if (!(await deleteEvent(manager.store, event))) {
    throw notFinished("on its way again");
  }
  logInfo("Event deleted.", { event_id: event.event_id, key: event.event_info.Key });
  return emptyResponse();
}
