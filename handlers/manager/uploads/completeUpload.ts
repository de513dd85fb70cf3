import { HeadObjectCommand } from "@aws-sdk/client-s3";
import type { APIGatewayProxyResult } from "aws-lambda";
import { plainETag } from "../../../events/eTag";
import { asError } from "../../../runtime/awsErrors";
import { isHttpError, jsonResponse } from "../../../runtime/http";
import { logInfo } from "../../../runtime/log";
import { uploadCompleted } from "../../../runtime/multipart/refusals";
import { type Completion, completionOf } from "../../../runtime/multipart/requests";
import {
  completedETag,
  type CompletedObject,
  completeMultipart,
  locationOf,
  type MultipartUpload,
} from "../../../runtime/multipart/uploads";
import type { ManagerContext, ManagerRequest } from "../request";
import { uploadOf } from "./multipart";

/**
 * The object under the key, if it is of these parts.
 *
 * @returns undefined where there is no object
 * @throws an `HttpError` 409 where it is of others
 */
async function objectOf(
  { s3 }: ManagerContext,
  { bucket, key }: MultipartUpload,
  { parts }: Completion,
): Promise<CompletedObject | undefined> {
  try {
    const object = await s3.send(
      new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: "ENABLED" }),
    );
    const eTag = plainETag(object.ETag) ?? "";
    if (eTag !== completedETag(parts)) {
      throw uploadCompleted();
    }
    return { eTag, checksum: object.ChecksumCRC64NVME };
  } catch (error) {
    if (asError(error).$metadata?.httpStatusCode === 404) {
      return undefined;
    }
    throw error;
  }
}

/** S3's answers where the upload may be complete already. */
const MAYBE_COMPLETE = ["upload_not_found", "upload_completed"];

/**
 * Completes the upload. One that is complete already, of the same parts, is no error: the answer to the
 * request before may have been lost.
 *
 * @throws an `HttpError`
 */
async function complete(
  manager: ManagerContext,
  upload: MultipartUpload,
  completion: Completion,
): Promise<CompletedObject> {
  try {
    return await completeMultipart(manager.s3, upload, completion);
  } catch (error) {
    const object =
      isHttpError(error) && MAYBE_COMPLETE.includes(error.code)
        ? await objectOf(manager, upload, completion)
        : undefined;
    if (object === undefined) {
      throw error;
    }
    return object;
  }
}

/** `POST /s3/multipart/{upload_id}/complete`: makes the file of its parts. The bucket's event records it. */
export async function completeUpload(
  manager: ManagerContext,
  request: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  const upload = uploadOf(manager, request);
  const completion = completionOf(request.event);
  const { checksum } = await complete(manager, upload, completion);
  const { event_id, bucket, key } = upload;
  logInfo("Upload in parts complete.", { event_id, key, parts: completion.parts.length });
  const location = await locationOf(manager.s3, upload);
  return jsonResponse(200, { event_id, bucket, key, location, checksum_crc64nvme: checksum });
}
