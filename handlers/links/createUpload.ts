import type { APIGatewayProxyResult } from "aws-lambda";
import { fileNameFor } from "../../events/fileName";
import { linkPrefix, newUpload } from "../../events/identity";
import { httpError, jsonResponse } from "../../runtime/http";
import { logError, logInfo } from "../../runtime/log";
import { partSizeOf } from "../../runtime/multipart/parts";
import { newMultipartOf } from "../../runtime/multipart/requests";
import {
  abortMultipart,
  createMultipart,
  type MultipartUpload,
} from "../../runtime/multipart/uploads";
import { parametersOf } from "../../runtime/parameters";
import { acceptContentType } from "../../runtime/requests/contentType";
import type { Claim } from "../../store/links/claim";
import type { UploadLink } from "../../store/links/link";
import { openUntil, takeClaim, type Taken } from "../../store/links/places";
import { holdOpen } from "../../store/links/progress";
import { findClaim, findRepeat } from "../../store/links/read";
import type { FileTraits } from "../../store/links/repeat";
import {
  alreadyCompleted,
  freePlaces,
  isUnfinished,
  reopened,
  uploadOf,
  withPlace,
} from "./claimed";
import { type LinkRequest, type LinksContext, linkUsedUp, openLink } from "./request";

/** What a client says of its file, checked. */
interface NewFile {
  fileName: string;
  contentType: string;
  /** Bytes; undefined: unknown. */
  size?: number;
  /** What tells the file from others; undefined: the client has not told enough. */
  traits?: FileTraits;
}

/** @throws an `HttpError` 400, 413 or 415 */
function readFile({ event }: LinkRequest, link: UploadLink, allowedTypes: string[]): NewFile {
  parametersOf(event, []);
  const { fileName: given, contentType: declared, size, lastModified } = newMultipartOf(event);
  const contentType = acceptContentType(declared, allowedTypes, given);
  if (link.content_types) {
    acceptContentType(contentType, link.content_types, given);
  }
  if (size !== undefined && size > (link.max_bytes ?? Infinity)) {
    throw tooLarge(link, size);
  }
  const fileName = fileNameFor(given, contentType);
  const traits = size !== undefined &&
    lastModified !== undefined && { name: fileName, size, lastModified, type: contentType };
  return { fileName, contentType, size, ...(traits && { traits }) };
}

/** @param size in bytes */
export function tooLarge({ max_bytes = 0 }: UploadLink, size: number) {
  return httpError(
    413,
    "too_large",
    `The file has ${size} bytes; this link takes files of at most ${max_bytes} bytes.`,
  );
}

/** The claim that an earlier request for the same file got, with a place. */
async function repeatedClaim(
  context: LinksContext,
  linkId: string,
  traits: FileTraits | undefined,
): Promise<{ claim?: Claim; replaces?: string }> {
  const { store } = context;
  const repeat = traits && (await findRepeat(store, linkId, traits));
  if (repeat === undefined) {
    return {};
  }
  const found = await findClaim(store, linkId, repeat.event_id);
  if (found === undefined || found.state === "aborted") {
    return { replaces: repeat.event_id };
  }
  const claim = await withPlace(context, await reopened(context, found), async (current) => {
    // The file is not here yet, and may never be: whoever completes it may fail. Its parts are here.
    if (current.state === "completing" && (await isUnfinished(context, current))) {
      return "taken";
    }
    if (current.state === "completing" || current.state === "stored") {
      throw alreadyCompleted(current);
    }
    return holdOpen(store, current);
  });
  return { claim };
}

function created({ bucketName }: LinksContext, claim: Claim): APIGatewayProxyResult {
  const { object_key: key, upload_id: uploadId, event_id, part_size } = claim;
  return jsonResponse(201, {
    key,
    uploadId,
    event_id,
    bucket: bucketName,
    ...(part_size !== undefined && { part_size }),
  });
}

function newClaim(link: UploadLink, { fileName, contentType, size }: NewFile) {
  const { object_key, event_id, event_timestamp } = newUpload(linkPrefix(link.link_id), fileName);
  return {
    link_id: link.link_id,
    event_id,
    event_timestamp,
    object_key,
    file_name: fileName,
    content_type: contentType,
    ...(size !== undefined && { size, part_size: partSizeOf(size) }),
    state: "open" as const,
    ...(link.metadata && { metadata: link.metadata }),
    created_at: new Date().toISOString(),
    open_until: openUntil(),
  };
}

/** Deletes an upload that got no place. It has no parts; S3 deletes it some weeks later otherwise. */
async function discard({ s3 }: LinksContext, upload: MultipartUpload, linkId: string) {
  try {
    await abortMultipart(s3, upload);
  } catch (error) {
    logError("Upload without a place not aborted.", error, { link_id: linkId, key: upload.key });
  }
}

/** Takes a place for a new claim; in a full link, one that a lapsed claim gives back. */
async function takePlace(
  context: LinksContext,
  claim: Claim,
  repeat: Parameters<typeof takeClaim>[2],
): Promise<Taken> {
  const taken = await takeClaim(context.store, claim, repeat);
  return taken === "used_up" && (await freePlaces(context, claim.link_id)) > 0
    ? takeClaim(context.store, claim, repeat)
    : taken;
}

/**
 * `POST /{ticket}/s3/multipart`: begins an upload, which takes one of the link's places. A repeated request
 * for the same file gets the upload of the first one.
 */
export async function createUpload(
  context: LinksContext,
  request: LinkRequest,
): Promise<APIGatewayProxyResult> {
  const { s3, store, bucketName } = context;
  const { linkId } = request;
  const link = await openLink(store, linkId);
  const file = readFile(request, link, context.allowedTypes);
  const { claim: earlier, replaces } = await repeatedClaim(context, linkId, file.traits);
  if (earlier) {
    return created(context, earlier);
  }
  const isFull = link.max_files !== undefined && link.taken >= link.max_files;
  if (isFull && (await freePlaces(context, linkId)) === 0) {
    throw linkUsedUp();
  }
  const unclaimed = newClaim(link, file);
  const { object_key: key, content_type: contentType } = unclaimed;
  const upload_id = await createMultipart(s3, { bucket: bucketName, key, contentType });
  const claim: Claim = { ...unclaimed, upload_id };
  const taken = await takePlace(context, claim, file.traits && { traits: file.traits, replaces });
  if (taken !== "taken") {
    await discard(context, uploadOf(context, claim), linkId);
    await openLink(store, linkId);
    // Another request for the same file was first: this one gets its upload.
    return taken === "repeated" ? createUpload(context, request) : Promise.reject(linkUsedUp());
  }
  const { event_id } = claim;
  logInfo("Upload begun.", { event_id, link_id: linkId, key, size: file.size });
  return created(context, claim);
}
