import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { fileNameFor } from "../../../events/fileName";
import { newUpload, parseUploadKey, SIGNED_PREFIX } from "../../../events/identity";
import { storedMetadata } from "../../../events/metadata";
import { emptyResponse, jsonResponse } from "../../../runtime/http";
import { logInfo } from "../../../runtime/log";
import { partCountOf, partLengthOf, partSizeOf } from "../../../runtime/multipart/parts";
import { uploadNotFound } from "../../../runtime/multipart/refusals";
import {
  addressOf,
  fileSizeOf,
  invalidPartNumber,
  newMultipartOf,
  partNumberOf,
} from "../../../runtime/multipart/requests";
import {
  abortMultipart,
  createMultipart,
  listParts,
  type MultipartUpload,
  signPart,
} from "../../../runtime/multipart/uploads";
import { parametersOf } from "../../../runtime/parameters";
import { acceptContentType } from "../../../runtime/requests/contentType";
import { acceptMetadata } from "../../../runtime/requests/metadata";
import type { ManagerContext, ManagerRequest } from "../request";
import { stageUrl } from "../stageUrl";

/** The upload that a request is for, with the id of its event. */
export interface AddressedUpload extends MultipartUpload {
  event_id: string;
  /** Query parameters of the route besides `key`. */
  parameters: Record<string, string>;
}

/** @throws an `HttpError` 400, or 404 for a key that the manager has not given out */
export function uploadOf(
  { bucketName }: ManagerContext,
  { event, path }: ManagerRequest,
  known: string[] = [],
): AddressedUpload {
  const { key, uploadId, parameters } = addressOf(event, path.upload_id, known);
  const upload = parseUploadKey(key);
  if (upload?.prefix !== SIGNED_PREFIX) {
    throw uploadNotFound();
  }
  return { bucket: bucketName, key, uploadId, event_id: upload.event_id, parameters };
}

/** What @uppy/core adds to the metadata of a file may be empty, or null. */
function givenEntries(metadata: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(metadata).filter(([, value]) => value !== null && value !== ""),
  );
}

function readFile(event: APIGatewayProxyEvent, allowedTypes: string[]) {
  const { fileName, contentType: declared, size, metadata } = newMultipartOf(event);
  const contentType = acceptContentType(declared, allowedTypes, fileName);
  return {
    fileName: fileNameFor(fileName, contentType),
    contentType,
    size,
    metadata: acceptMetadata(givenEntries(metadata)),
  };
}

/** `POST /s3/multipart`: begins an upload in parts, which a client sends to S3 itself. */
export async function createUpload(
  { s3, bucketName, allowedTypes }: ManagerContext,
  { event }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(event, []);
  const { fileName, contentType, size, metadata } = readFile(event, allowedTypes);
  const { event_id, event_timestamp, object_key: key } = newUpload(SIGNED_PREFIX, fileName);
  const uploadId = await createMultipart(s3, {
    bucket: bucketName,
    key,
    contentType,
    metadata: metadata && storedMetadata(metadata),
  });
  logInfo("Upload in parts begun.", { event_id, key, size });
  const part_size = size === undefined ? undefined : partSizeOf(size);
  const Location = `${stageUrl(event, "/s3/multipart")}/events/${event_id}`;
  return jsonResponse(
    201,
    { event_id, event_timestamp, bucket: bucketName, key, uploadId, part_size },
    { Location },
  );
}

/**
 * `GET /s3/multipart/{upload_id}/{part_number}`: signs the PUT of one part. With the file's `size`, of
 * exactly the part's length.
 */
export async function signUploadPart(
  manager: ManagerContext,
  request: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  const upload = uploadOf(manager, request, ["size"]);
  const partNumber = partNumberOf(request.path.part_number);
  const fileSize = fileSizeOf(upload.parameters.size);
  const size = fileSize && partLengthOf(fileSize, partNumber);
  if (fileSize && size === undefined) {
    throw invalidPartNumber(request.path.part_number, partCountOf(fileSize));
  }
  return jsonResponse(200, await signPart(manager.s3, upload, { partNumber, size }));
}

/** `GET /s3/multipart/{upload_id}`: the parts that S3 has, all of them. */
export async function listUploadedParts(
  manager: ManagerContext,
  request: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  return jsonResponse(200, await listParts(manager.s3, uploadOf(manager, request)));
}

/** `DELETE /s3/multipart/{upload_id}`: deletes the parts of an upload that is not complete. */
export async function abortUpload(
  manager: ManagerContext,
  request: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  const upload = uploadOf(manager, request);
  await abortMultipart(manager.s3, upload);
  logInfo("Upload in parts aborted.", { event_id: upload.event_id, key: upload.key });
  return emptyResponse();
}
