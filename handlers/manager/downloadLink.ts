import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { create as createContentDisposition } from "content-disposition";
import { plainETag } from "../../events/eTag";
import type { EventInfo, FileEvent } from "../../events/event";
import { withoutDirections } from "../../events/fileName";
import { fileNameOf, hasUniqueKey } from "../../events/identity";
import { asError, isTransient } from "../../runtime/awsErrors";
import { logError } from "../../runtime/log";
import type { ManagerContext } from "./request";

/** Seconds; long enough to click the link, short enough to limit its misuse. */
const LINK_SECONDS = 300;

/** Milliseconds between an object's `LastModified`, which has seconds, and the time of its event. */
const EVENT_TIME_TOLERANCE_MS = 2000;

/** A link, or why there is none. */
interface Link {
  download?: { url: string; expires_at: string };
  no_download?: {
    code: "object_gone" | "object_replaced" | "storage_unavailable" | "storage_failed";
    message: string;
  };
}

/** Whether the object under the event's key was written after the event, and so belongs to another one. */
export function isWrittenAfter(event: FileEvent, lastModified: Date | undefined): boolean {
  const writtenAt = lastModified?.getTime() ?? 0;
  return writtenAt > Date.parse(event.event_timestamp) + EVENT_TIME_TOLERANCE_MS;
}

function withoutLink(event: FileEvent, thrown: unknown): Link["no_download"] {
  const { name, $metadata } = asError(thrown);
  if ($metadata?.httpStatusCode === 404) {
    const message = "The object is gone: nothing is stored under the event's key any more.";
    return { code: "object_gone", message };
  }
  logError("The object could not be looked at, so the event has no link.", thrown, {
    event_id: event.event_id,
  });
  return isTransient(thrown)
    ? { code: "storage_unavailable", message: "S3 does not answer right now: try again." }
    : { code: "storage_failed", message: `S3 does not show the object: ${name}.` };
}

/** A link to the file as an attachment, so that no browser renders an uploaded file. */
async function signedLink({ s3 }: ManagerContext, info: EventInfo): Promise<Link["download"]> {
  const expiresAt = new Date(Date.now() + LINK_SECONDS * 1000);
  const command = new GetObjectCommand({
    Bucket: info.Bucket,
    Key: info.Key,
    ResponseContentDisposition: createContentDisposition(
      withoutDirections(info.FileName ?? fileNameOf(info.Key)),
    ),
  });
  const url = await getSignedUrl(s3, command, { expiresIn: LINK_SECONDS });
  return { url, expires_at: expiresAt.toISOString() };
}

/**
 * A temporary link to the event's file, while the object is still the event's. (A link cannot check
 * that itself: no browser sends `If-Match`.) An object without a known ETag is told from a later
 * one by its time.
 */
export async function downloadLink(manager: ManagerContext, event: FileEvent): Promise<Link> {
  const { Bucket, Key, ETag } = event.event_info;
  try {
    const object = await manager.s3.send(new HeadObjectCommand({ Bucket, Key }));
    const isReplaced = ETag
      ? plainETag(object.ETag) !== plainETag(ETag)
      : !hasUniqueKey(event) && isWrittenAfter(event, object.LastModified);
    if (!isReplaced) {
      return { download: await signedLink(manager, event.event_info) };
    }
  } catch (error) {
    return { no_download: withoutLink(event, error) };
  }
  const message =
    "The object was overwritten after this event. The later write has an event of its own.";
  return { no_download: { code: "object_replaced", message } };
}
