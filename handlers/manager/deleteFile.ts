import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import type { APIGatewayProxyResult } from "aws-lambda";
import type { FileEvent } from "../../events/event";
import { parseUploadKey } from "../../events/identity";
import { asError } from "../awsErrors";
import { deleteEvent } from "../eventStore";
import { httpError } from "../http";
import { logInfo } from "../log";
import { findEvent } from "./findEvent";
import type { Manager, ManagerRequest } from "./manager";
import { parametersOf } from "./parameters";

/** S3's answers to a conditional delete of what is not, or no longer, there. */
const NOT_THERE = ["PreconditionFailed", "NoSuchKey", "NotFound"];

/**
 * Deletes the event's object. The key of an upload is its event's alone. Any other key may have been
 * written again since: that object belongs to another event, and stays.
 */
async function deleteObject({ s3 }: Manager, event: FileEvent): Promise<void> {
  const { Bucket, Key, ETag } = event.event_info;
  const isUpload = parseUploadKey(Key)?.event_id === event.event_id;
  try {
    await s3.send(
      new DeleteObjectCommand({ Bucket, Key, IfMatch: isUpload || !ETag ? undefined : ETag }),
    );
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

/** `DELETE /events/{event_id}`: deletes the object, and then the row, of a finished event. */
export async function deleteFile(
  manager: Manager,
  { event: request, eventId }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(request, []);
  const event = await findEvent(manager.store, eventId);
  if (event.event_status !== "notified" && event.event_status !== "failed") {
    throw notFinished(event.event_status);
  }
  // In this order: without its row, an object would be nobody's.
  await deleteObject(manager, event);
  if (!(await deleteEvent(manager.store, event))) {
    throw notFinished("on its way again");
  }
  logInfo("An event was deleted.", { event_id: event.event_id, key: event.event_info.Key });
  return { statusCode: 204, headers: { "Cache-Control": "no-store" }, body: "" };
}
