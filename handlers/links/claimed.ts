import { parseUploadKey } from "../../events/identity";
import { type HttpError, httpError } from "../../runtime/http";
import { uploadNotFound } from "../../runtime/multipart/refusals";
import { addressOf } from "../../runtime/multipart/requests";
import { listParts, type MultipartUpload } from "../../runtime/multipart/uploads";
import type { Claim } from "../../store/links/claim";
import { giveBackLapsed } from "../../store/links/giveBack";
import { isLeftCompleting, reopen } from "../../store/links/progress";
import { findClaim } from "../../store/links/read";
import { type LinkRequest, type LinksContext, linkUsedUp, openLink } from "./request";

/** How often a claim is read again that others change meanwhile. */
const MAX_READS = 5;

/**
 * The claim of the upload that a request names.
 *
 * @throws an `HttpError` 404 for one that this link has not begun
 */
export async function claimOf(
  context: LinksContext,
  { event, linkId, path }: LinkRequest,
): Promise<Claim> {
  const { store } = context;
  const address = addressOf(event, path.upload_id);
  const upload = parseUploadKey(address.key);
  const claim =
    upload?.linkId === linkId ? await findClaim(store, linkId, upload.event_id) : undefined;
  if (claim?.object_key !== address.key || claim.upload_id !== address.uploadId) {
    throw uploadNotFound();
  }
  return reopened(context, claim);
}

/** The claim; one that was left completing is open again, if S3 has not completed its upload. */
export async function reopened(context: LinksContext, claim: Claim): Promise<Claim> {
  if (!isLeftCompleting(claim) || !(await isUnfinished(context, claim))) {
    return claim;
  }
  // Whoever has changed it meanwhile is at work on it.
  return (await reopen(context.store, claim)) ?? claim;
}

/** The upload of a claim, for S3. */
export function uploadOf({ bucketName }: LinksContext, claim: Claim): MultipartUpload {
  return { bucket: bucketName, key: claim.object_key, uploadId: claim.upload_id };
}

/** The refusal to go on with an upload whose file is here, or about to be. */
export function alreadyCompleted({ event_id }: Claim): HttpError {
  return httpError(
    409,
    "upload_completed",
    `The upload is complete already: the file is here, as event ${event_id}.`,
  );
}

/** Whether S3 still has the parts of an upload, so that it was not completed. */
export async function isUnfinished(context: LinksContext, claim: Claim): Promise<boolean> {
  try {
    await listParts(context.s3, uploadOf(context, claim));
    return true;
  } catch (error) {
    if ((error as Partial<HttpError>).code === "upload_not_found") {
      return false;
    }
    throw error;
  }
}

/**
 * Gives the places of lapsed claims back.
 *
 * @returns how many
 */
export function freePlaces(context: LinksContext, linkId: string): Promise<number> {
  return giveBackLapsed(context.store, linkId, (claim) => isUnfinished(context, claim));
}

/**
 * Takes a place, or holds one, for a claim as it is now. While others change the claim it is read again,
 * and while the link is full, places of lapsed claims are given back.
 *
 * @param take changes the claim, if it is as it was read; it throws for a claim that may have no place
 * @throws an `HttpError` 409 or 410 where the link has no place
 */
export async function withPlace(
  context: LinksContext,
  claim: Claim,
  take: (claim: Claim) => Promise<"taken" | "used_up" | "repeated">,
): Promise<Claim> {
  const { store } = context;
  let current = claim;
  for (let reads = 1; ; reads += 1) {
    const taken = await take(current);
    if (taken === "taken") {
      return current;
    }
    if (taken === "used_up") {
      await openLink(store, claim.link_id);
      if ((await freePlaces(context, claim.link_id)) === 0) {
        throw linkUsedUp();
      }
    }
    const read = await findClaim(store, claim.link_id, claim.event_id);
    if (read === undefined) {
      throw uploadNotFound();
    }
    if (reads === MAX_READS) {
      throw httpError(503, "link_busy", "Other requests change this upload. Try again.", {
        "Retry-After": "1",
      });
    }
    current = read;
  }
}
