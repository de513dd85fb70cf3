import type { APIGatewayProxyResult } from "aws-lambda";
import { httpError, isHttpError, jsonResponse } from "../../runtime/http";
import {
  MAX_PARTS,
  MIN_PART_BYTES,
  partCountOf,
  partLengthOf,
} from "../../runtime/multipart/parts";
import { uploadNotFound } from "../../runtime/multipart/refusals";
import { invalidPartNumber, partNumberOf } from "../../runtime/multipart/requests";
import { listParts, signPart } from "../../runtime/multipart/uploads";
import type { Claim } from "../../store/links/claim";
import type { UploadLink } from "../../store/links/link";
import { holdOpen } from "../../store/links/progress";
import { alreadyCompleted, claimOf, uploadOf, withPlace } from "./claimed";
import { type LinkRequest, type LinksContext, openLink } from "./request";

/** @throws an `HttpError` 404 or 409 for an upload that takes no parts any more */
function refuseEnded(claim: Claim): void {
  if (claim.state === "aborted") {
    throw uploadNotFound();
  }
  if (claim.state === "completing" || claim.state === "stored") {
    throw alreadyCompleted(claim);
  }
}

/**
 * The bytes of a part; undefined: any number, as the file's size is unknown.
 *
 * @throws an `HttpError` 400 for a part that no file of this size, or within the link's limit, has
 */
function lengthOf(text: string, { size }: Claim, { max_bytes }: UploadLink) {
  const partNumber = partNumberOf(text);
  if (size === undefined) {
    const most = Math.min(MAX_PARTS, Math.ceil((max_bytes ?? Infinity) / MIN_PART_BYTES));
    if (partNumber > most) {
      throw invalidPartNumber(text, most);
    }
    return { partNumber };
  }
  const length = partLengthOf(size, partNumber);
  if (length === undefined) {
    throw invalidPartNumber(text, partCountOf(size));
  }
  return { partNumber, size: length };
}

/**
 * `GET /{ticket}/s3/multipart/{upload_id}/{part_number}?key=…`: the URL to PUT one part to. The upload holds
 * its place for 15 minutes from then on.
 */
export async function signUploadPart(
  context: LinksContext,
  request: LinkRequest,
): Promise<APIGatewayProxyResult> {
  const [link, claim] = await Promise.all([
    openLink(context.store, request.linkId),
    claimOf(context, request),
  ]);
  refuseEnded(claim);
  const part = lengthOf(request.path.part_number, claim, link);
  await withPlace(context, claim, (current) => {
    refuseEnded(current);
    return holdOpen(context.store, current);
  });
  return jsonResponse(200, await signPart(context.s3, uploadOf(context, claim), part));
}

/** `GET /{ticket}/s3/multipart/{upload_id}?key=…`: the parts that S3 has, all of them. */
export async function listUploadParts(
  context: LinksContext,
  request: LinkRequest,
): Promise<APIGatewayProxyResult> {
  const [, claim] = await Promise.all([
    openLink(context.store, request.linkId),
    claimOf(context, request),
  ]);
  if (claim.state !== "completing") {
    refuseEnded(claim);
  }
  try {
    return jsonResponse(200, await listParts(context.s3, uploadOf(context, claim)));
  } catch (error) {
    throw claim.state === "completing" && isHttpError(error) ? alreadyCompleted(claim) : error;
  }
}

/**
 * `GET /{ticket}/s3/params`: where @uppy/aws-s3 asks for a form, which could replace a file. It has none.
 */
export async function refuseForm(
  context: LinksContext,
  { linkId }: LinkRequest,
): Promise<APIGatewayProxyResult> {
  await openLink(context.store, linkId);
  throw httpError(
    400,
    "use_multipart",
    "Files are sent in parts here, small ones, too: give @uppy/aws-s3 the option " +
      "shouldUseMultipart: true. (It comes here for an empty file as well, which is not taken.)",
  );
}
