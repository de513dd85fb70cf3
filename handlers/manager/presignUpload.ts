import { createPresignedPost, type PresignedPostOptions } from "@aws-sdk/s3-presigned-post";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { fileNameFor } from "../../events/fileName";
import { acceptContentType } from "../../runtime/contentType";
import { bodyBytes, httpError, jsonResponse } from "../../runtime/http";
import { idempotencyKeyOf, idempotencyKeyReused } from "../../runtime/idempotencyKey";
import { logInfo } from "../../runtime/log";
import { reserve } from "../../store/reservations";
import { statusOf } from "../../store/rows";
import { invalid, parametersOf } from "./parameters";
import type { ManagerContext, ManagerRequest } from "./request";

/** Bytes; S3's limit for an object written by one request: 5 GB. */
export const MAX_FORM_BYTES = 5 * 1024 ** 3;

/**
 * S3 replaces it in a form's key by the name of the file that is sent: one form could then write many
 * objects, all for one event.
 */
const S3_VARIABLE = "${filename}";

/** How long a form is valid, in seconds. S3 checks it when an upload begins. */
const FORM_SECONDS = 3600;

interface UploadRequest {
  fileName: string;
  contentType: string;
  /** Bytes; null: unknown. */
  size: number | null;
  /** SHA-256 in base64; null: unknown. */
  checksum: string | null;
}

function jsonBody(event: APIGatewayProxyEvent): Record<string, unknown> {
  const text = bodyBytes(event).toString("utf8");
  let body: unknown;
  try {
    body = JSON.parse(text === "" ? "{}" : text);
  } catch {
    // Answered below, like any body that is not an object.
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalid("body", "The body has to be a JSON object.");
  }
  const known = ["filename", "content_type", "size", "checksum_sha256"];
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw invalid("body", `The body has no field "${unknown}". Known: ${known.join(", ")}.`);
  }
  return body as Record<string, unknown>;
}

function sizeOf({ size }: Record<string, unknown>): number | null {
  if (size === undefined) {
    return null;
  }
  if (typeof size !== "number" || !Number.isInteger(size) || size < 1) {
    throw invalid("size", "The size has to be a whole number of bytes, at least 1.");
  }
  if (size > MAX_FORM_BYTES) {
    throw httpError(
      413,
      "too_large",
      `The file has ${size} bytes; an upload may have at most ${MAX_FORM_BYTES} bytes.`,
    );
  }
  return size;
}

function checksumOf({ checksum_sha256: checksum }: Record<string, unknown>): string | null {
  if (checksum === undefined) {
    return null;
  }
  if (typeof checksum !== "string" || !/^[0-9a-f]{64}$/i.test(checksum)) {
    throw invalid("checksum", "The checksum has to be a SHA-256 in 64 hexadecimal digits.");
  }
  return Buffer.from(checksum, "hex").toString("base64");
}

function readRequest(event: APIGatewayProxyEvent, allowedTypes: string[]): UploadRequest {
  const body = jsonBody(event);
  const { filename, content_type: given } = body;
  if (filename !== undefined && typeof filename !== "string") {
    throw invalid("filename", "The file name has to be a text.");
  }
  if (given !== undefined && typeof given !== "string") {
    throw invalid("content_type", "The content type has to be a text such as image/jpeg.");
  }
  const contentType = acceptContentType(given, allowedTypes, filename);
  const fileName = fileNameFor(filename, contentType);
  if (fileName.includes(S3_VARIABLE)) {
    throw invalid("filename", `A form's file name cannot have ${S3_VARIABLE} in it.`);
  }
  return {
    fileName,
    contentType,
    size: sizeOf(body),
    checksum: checksumOf(body),
  };
}

function fieldsOf({ contentType, checksum }: UploadRequest): Record<string, string> {
  return {
    "Content-Type": contentType,
    ...(checksum !== null && {
      "x-amz-checksum-algorithm": "SHA256",
      "x-amz-checksum-sha256": checksum,
    }),
  };
}

/**
 * `POST /uploads`: answers with a form for sending a file of up to 5 GB directly to S3. The bucket's
 * event then records it. With an `Idempotency-Key` whose file has arrived, it answers with the
 * event's status instead.
 */
export async function presignUpload(
  manager: ManagerContext,
  { event }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(event, []);
  const { s3, store, bucketName, reservationsTableName } = manager;
  const request = readRequest(event, manager.allowedTypes);
  const idempotencyKey = idempotencyKeyOf(event);
  const reservation = await reserve(
    { dynamo: store.dynamo, tableName: reservationsTableName },
    // A tab, which no header's key has: an upload by anyone cannot use up an operator's key.
    idempotencyKey && `manager\t${idempotencyKey}`,
    request.fileName,
    ["form", request.contentType, request.fileName, request.size, request.checksum],
  );
  if (reservation === undefined) {
    throw idempotencyKeyReused();
  }
  const { event_id, event_timestamp, object_key } = reservation;
  const identity = { event_id, event_timestamp, bucket: bucketName, key: object_key };
  const event_status = idempotencyKey && (await statusOf(store, identity));
  if (event_status) {
    return jsonResponse(200, { ...identity, event_status });
  }
  const [minBytes, maxBytes] = [request.size ?? 1, request.size ?? MAX_FORM_BYTES];
  const options: PresignedPostOptions = {
    Bucket: bucketName,
    Key: object_key,
    Expires: FORM_SECONDS,
    Fields: fieldsOf(request),
    Conditions: [["content-length-range", minBytes, maxBytes]],
  };
  const expiresAt = new Date(Date.now() + FORM_SECONDS * 1000);
  const { url, fields } = await createPresignedPost(s3, options);
  logInfo("Upload form issued.", { event_id, key: object_key, size: request.size });
  return jsonResponse(201, {
    ...identity,
    url,
    fields,
    expires_at: expiresAt.toISOString(),
    min_bytes: minBytes,
    max_bytes: maxBytes,
  });
}
