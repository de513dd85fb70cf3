import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { APIGatewayProxyResult } from "aws-lambda";
import { asError, isTransient } from "../../runtime/awsErrors";
import { type HttpError, httpError, isHttpError, jsonResponse } from "../../runtime/http";
import { logError, logInfo } from "../../runtime/log";
import type { NamedPart } from "../../runtime/multipart/parts";
import { uploadCompleted, uploadNotFound } from "../../runtime/multipart/refusals";
import { completionOf } from "../../runtime/multipart/requests";
import {
  abortMultipart,
  completeMultipart,
  listParts,
  locationOf,
} from "../../runtime/multipart/uploads";
import type { Claim } from "../../store/links/claim";
import { abandonClaim } from "../../store/links/giveBack";
import type { UploadLink } from "../../store/links/link";
import { beginCompleting, stopCompleting } from "../../store/links/progress";
import { findClaim } from "../../store/links/read";
import { claimOf, uploadOf, withPlace } from "./claimed";
import { tooLarge } from "./createUpload";
import { type LinkRequest, type LinksContext, openLink } from "./request";

/** Tries of S3's request, the first included. */
const MAX_TRIES = 3;

/** Milliseconds after which no further try begins: S3 may take 24 s, and API Gateway waits for 29 s. */
const LAST_TRY_MS = 3000;

const PAUSE_MS = 200;

/** What S3 is asked to put together. */
interface Parts {
  parts: NamedPart[];
  checksum?: string;
  /** Bytes of all parts, which S3 checks; undefined: S3 no longer has the parts. */
  size?: number;
}

function digestOf(parts: NamedPart[]): string {
  const named = parts.map(({ PartNumber, ETag }) => [PartNumber, ETag]);
  return createHash("sha256").update(JSON.stringify(named)).digest("base64url");
}

/** The parts that S3 has; undefined: it no longer has an upload that may be complete. */
async function partsOf(context: LinksContext, claim: Claim) {
  try {
    return await listParts(context.s3, uploadOf(context, claim));
  } catch (error) {
    if (claim.state === "completing" && isHttpError(error) && error.code === "upload_not_found") {
      return undefined;
    }
    throw error;
  }
}

/**
 * The bytes of the parts that S3 has, for an upload whose size was not declared. Those that S3 puts together
 * may be others, which were sent meanwhile: S3 refuses them if their sum is another one.
 *
 * @returns undefined where S3 has no such upload any more: another request may have completed it
 * @throws an `HttpError` 400 for an empty file, 413 for one above the link's limit; the upload is aborted
 */
async function sizeOf(
  context: LinksContext,
  { claim, link }: { claim: Claim; link: UploadLink },
  parts: NamedPart[],
): Promise<number | undefined> {
  const upload = uploadOf(context, claim);
  const listed = await partsOf(context, claim);
  if (listed === undefined) {
    return undefined;
  }
  const sizes = new Map(listed.map(({ PartNumber, Size }) => [PartNumber, Size]));
  const size = parts.reduce((sum, { PartNumber }) => sum + (sizes.get(PartNumber) ?? 0), 0);
  const isMissing = parts.some(({ PartNumber }) => !sizes.has(PartNumber));
  const isEmpty = size === 0 && !isMissing;
  if (isEmpty || size > (link.max_bytes ?? Infinity)) {
    // Another request may be about to complete it of the parts that were there before.
    if (claim.state !== "completing" && (await abandonClaim(context.store, claim))) {
      await abortMultipart(context.s3, upload);
    }
    throw isEmpty ? httpError(400, "empty_file", "The file is empty.") : tooLarge(link, size);
  }
  return size;
}

/**
 * Has S3 put the parts together. What it answers to a repeated request may mean that it has: then the upload
 * is gone (404), or the object is there (412), whose key no other upload has.
 *
 * @param isRepeat whether another request may have completed the upload before
 */
async function putTogether(
  context: LinksContext,
  claim: Claim,
  parts: Parts,
  isRepeat: boolean,
): Promise<void> {
  const startedAt = Date.now();
  let mayBeDone = isRepeat;
  for (let tries = 1; ; tries += 1) {
    try {
      await completeMultipart(context.s3Once(), uploadOf(context, claim), parts);
      return;
    } catch (error) {
      if (isHttpError(error)) {
        const isDone =
          error.code === "upload_completed" ||
          (error.code === "upload_not_found" &&
            (mayBeDone || (await isAnotherAtWork(context, claim))));
        if (isDone) {
          return;
        }
        throw error;
      }
      if (!isTransient(error) || tries === MAX_TRIES || Date.now() - startedAt > LAST_TRY_MS) {
        throw asError(error).name === "TimeoutError" ? stillCompleting(error, claim) : error;
      }
    }
    mayBeDone = true;
    await delay(Math.random() * PAUSE_MS * tries);
  }
}

/** S3 has not answered in time, and may still do it. */
function stillCompleting(error: unknown, { event_id, link_id }: Claim): HttpError {
  logError("Upload not completed in time.", error, { event_id, link_id });
  return httpError(
    503,
    "completing",
    "S3 is still putting the parts together. Send the same request again.",
    { "Retry-After": "2" },
  );
}

/** Whether another request has begun to complete the upload of the same parts, or has done so. */
async function isAnotherAtWork(
  { store }: LinksContext,
  { link_id, event_id }: Claim,
): Promise<boolean> {
  const claim = await findClaim(store, link_id, event_id);
  return claim?.state === "stored" || (claim?.completing_calls ?? 0) > 1;
}

/** The answer to a request that completes an upload, and to each repetition of it. */
async function completed(context: LinksContext, claim: Claim): Promise<APIGatewayProxyResult> {
  const upload = uploadOf(context, claim);
  const location = await locationOf(context.s3, upload);
  const { bucket, key } = upload;
  return jsonResponse(200, { location, key, bucket, event_id: claim.event_id });
}

/** @throws an `HttpError` 404 or 409 for a claim that these parts cannot complete */
function refuseOthers({ state, parts_digest }: Claim, digest: string): void {
  if (state === "aborted") {
    throw uploadNotFound();
  }
  if ((state === "completing" || state === "stored") && parts_digest !== digest) {
    throw uploadCompleted();
  }
}

/**
 * `POST /{ticket}/s3/multipart/{upload_id}/complete?key=…`: has S3 make the file of its parts. The bucket's
 * event then has its row written.
 */
export async function completeUpload(
  context: LinksContext,
  request: LinkRequest,
): Promise<APIGatewayProxyResult> {
  const { store } = context;
  const [link, claim] = await Promise.all([
    openLink(store, request.linkId),
    claimOf(context, request),
  ]);
  const { parts, checksum } = completionOf(request.event);
  const digest = digestOf(parts);
  refuseOthers(claim, digest);
  if (claim.state === "stored") {
    return completed(context, claim);
  }
  let size = claim.size;
  const begun = await withPlace(context, claim, async (current) => {
    refuseOthers(current, digest);
    if (current.state === "stored") {
      return "taken";
    }
    size ??= await sizeOf(context, { claim: current, link }, parts);
    return beginCompleting(store, current, digest);
  });
  if (begun.state !== "stored") {
    const isRepeat = begun.state === "completing";
    try {
      await putTogether(context, claim, { parts, checksum, size }, isRepeat);
    } catch (error) {
      if (isHttpError(error) && error.statusCode < 500) {
        await stopCompleting(store, claim, digest);
      }
      throw error;
    }
    const { event_id, link_id, object_key: key } = claim;
    logInfo("Upload completed.", { event_id, link_id, key, size });
  }
  return completed(context, claim);
}
