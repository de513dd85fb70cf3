import { createHash } from "node:crypto";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { parse as parseContentDisposition } from "content-disposition";
import type { FileEvent } from "../events/event";
import { fileNameFor } from "../events/fileName";
import { newUploadIdentity, parseUploadKey, uploadKey } from "../events/identity";
import { asError, isPassing } from "./awsErrors";
import { environment } from "./environment";
import { dynamoClient, putEvent } from "./eventStore";
import { bodyBytes, header, httpError, isHttpError, jsonResponse } from "./http";
import { logError, logInfo } from "./log";
import { reserve, type Reservation } from "./reservations";

/** The body of a 201 answer. */
export interface UploadAnswer {
  event_id: string;
  /** Where the event begins; the same for every repetition of a request. */
  event_status: "uploaded";
  bucket: string;
  key: string;
  /** Bytes. */
  size: number;
  content_type: string;
  /** SHA-256 of the bytes, in hexadecimal. */
  checksum: string;
  checksum_algorithm: "SHA256";
}

interface UploadRequest {
  body: Buffer;
  contentType: string;
  fileName: string;
  idempotencyKey?: string;
  /** SHA-256 of the body. */
  digest: Buffer;
}

const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/;

function mediaTypeOf(contentType: string): string {
  return (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();
}

// Whether a media type fits one of the patterns: type/subtype, type/* or */*.
export function isAllowedType(mediaType: string, patterns: string[]): boolean {
  const [type] = mediaType.split("/");
  return patterns.some(
    (pattern) => pattern === "*/*" || pattern === mediaType || pattern === `${type}/*`,
  );
}

function contentTypeOf(event: APIGatewayProxyEvent, allowedTypes: string[]): string {
  const contentType = (header(event, "content-type") ?? "").trim() || "application/octet-stream";
  const mediaType = mediaTypeOf(contentType);
  // S3 takes no other characters in what becomes a header again.
  if (!MEDIA_TYPE.test(mediaType) || !/^[\t\x20-\x7e]*$/.test(contentType)) {
    throw httpError(
      400,
      "invalid_content_type",
      "The header Content-Type is not a media type such as image/jpeg.",
    );
  }
  if (mediaType === "multipart/form-data") {
    throw httpError(
      415,
      "type_not_allowed",
      "Send the file itself as the body, not a form: curl --data-binary '@file' instead of -F.",
    );
  }
  if (!isAllowedType(mediaType, allowedTypes)) {
    throw httpError(
      415,
      "type_not_allowed",
      `Files of type ${mediaType} are not taken here. Allowed: ${allowedTypes.join(", ")}.`,
    );
  }
  return contentType;
}

function givenFileName(event: APIGatewayProxyEvent): string | undefined {
  const fromQuery = event.queryStringParameters?.filename;
  if (fromQuery) {
    return fromQuery;
  }
  const disposition = header(event, "content-disposition");
  if (!disposition) {
    return undefined;
  }
  return parseContentDisposition(disposition).parameters.filename;
}

function idempotencyKeyOf(event: APIGatewayProxyEvent): string | undefined {
  const key = header(event, "idempotency-key");
  if (key !== undefined && !/^[\x21-\x7e][\x20-\x7e]{0,254}$/.test(key)) {
    throw httpError(
      400,
      "invalid_idempotency_key",
      "The header Idempotency-Key takes 1 to 255 printable ASCII characters.",
    );
  }
  return key;
}

/** Reads the request, or refuses it. */
function readRequest(
  event: APIGatewayProxyEvent,
  allowedTypes: string[],
  maxBytes: number,
): UploadRequest {
  if (event.httpMethod !== "POST") {
    throw httpError(405, "method_not_allowed", "Files are sent with POST.", { Allow: "POST" });
  }
  const contentType = contentTypeOf(event, allowedTypes);
  const idempotencyKey = idempotencyKeyOf(event);
  const body = bodyBytes(event);
  if (body.length === 0) {
    throw httpError(400, "empty_body", "The body is empty: send the file's bytes as the body.");
  }
  if (body.length > maxBytes) {
    throw httpError(
      413,
      "too_large",
      `The file has ${body.length} bytes; an upload may have at most ${maxBytes} bytes.`,
    );
  }
  return {
    body,
    contentType,
    fileName: fileNameFor(givenFileName(event), contentType),
    idempotencyKey,
    digest: createHash("sha256").update(body).digest(),
  };
}

function newReservation(request: UploadRequest): Reservation {
  const identity = newUploadIdentity();
  return {
    ...identity,
    object_key: uploadKey(identity, request.fileName),
    fingerprint: createHash("sha256")
      .update(JSON.stringify([request.contentType, request.fileName]))
      .update(request.digest)
      .digest("hex"),
  };
}

/** Puts the object; with an `Idempotency-Key` only if it is not there yet. */
async function storeObject(
  s3: S3Client,
  bucket: string,
  key: string,
  request: UploadRequest,
): Promise<string | undefined> {
  try {
    const stored = await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: request.body,
        ContentLength: request.body.length,
        ContentType: request.contentType,
        ChecksumSHA256: request.digest.toString("base64"),
        IfNoneMatch: request.idempotencyKey === undefined ? undefined : "*",
      }),
    );
    return stored.ETag?.replaceAll('"', "");
  } catch (error) {
    if (request.idempotencyKey !== undefined && asError(error).name === "PreconditionFailed") {
      return undefined;
    }
    throw error;
  }
}

/** Writes the row, unless it is there; never fails. */
async function writeRow(
  dynamo: DynamoDBClient,
  tableName: string,
  event: FileEvent,
): Promise<void> {
  try {
    await putEvent(dynamo, tableName, event);
  } catch (error) {
    // The file is safe in the bucket, whose event brings the row: no reason to alarm the client.
    logError("The row could not be written; the bucket's event will do it.", error, {
      event_id: event.event_id,
    });
  }
}

function errorAnswer(thrown: unknown, requestId: string): APIGatewayProxyResult {
  if (isHttpError(thrown)) {
    const { code, message, statusCode, headers } = thrown;
    return jsonResponse(statusCode, { error: { code, message } }, headers);
  }
  logError("The upload failed.", thrown, { request_id: requestId });
  const answer = (statusCode: number, code: string, message: string) =>
    jsonResponse(
      statusCode,
      { error: { code, message, request_id: requestId } },
      statusCode === 503 ? { "Retry-After": "1" } : undefined,
    );
  return isPassing(thrown)
    ? answer(503, "storage_unavailable", "The file could not be stored right now. Try again.")
    : answer(502, "storage_failed", "The file could not be stored. The service's log says why.");
}

/**
 * `POST /upload`: stores the body in the bucket, writes the row `uploaded`, and answers 201 with an
 * `UploadAnswer`; every error is `{ "error": { "code", "message" } }`.
 *
 * Environment: BUCKET_NAME, TABLE_NAME, RESERVATIONS_TABLE_NAME, MAX_UPLOAD_BYTES,
 * ALLOWED_CONTENT_TYPES (patterns, separated by commas).
 */
export function uploadHandler() {
  const s3 = new S3Client({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 4000, throwOnRequestTimeout: true },
    // The handler sends a SHA-256 of its own.
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
  // With S3's three attempts of 4 s, all fits the Lambda's 29 s, whatever does not answer.
  const dynamo = dynamoClient({ maxAttempts: 2, requestTimeout: 2000 });
  const bucket = environment("BUCKET_NAME");
  const tableName = environment("TABLE_NAME");
  const reservationsTableName = environment("RESERVATIONS_TABLE_NAME");
  const maxBytes = Number(environment("MAX_UPLOAD_BYTES"));
  const allowedTypes = environment("ALLOWED_CONTENT_TYPES").split(",");

  return async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
    try {
      const request = readRequest(event, allowedTypes, maxBytes);
      const wanted = newReservation(request);
      const { event_id, event_timestamp, object_key, fingerprint } =
        request.idempotencyKey === undefined
          ? wanted
          : await reserve(dynamo, reservationsTableName, request.idempotencyKey, wanted);
      if (fingerprint !== wanted.fingerprint) {
        throw httpError(
          422,
          "idempotency_key_reused",
          "This Idempotency-Key came with another file, name or type before. Use a new key.",
        );
      }
      const eTag = await storeObject(s3, bucket, object_key, request);
      const checksum = request.digest.toString("hex");
      await writeRow(dynamo, tableName, {
        event_id,
        event_timestamp,
        event_status: "uploaded",
        updated_at: new Date().toISOString(),
        event_info: {
          Bucket: bucket,
          Key: object_key,
          Size: request.body.length,
          ETag: eTag,
          ContentType: request.contentType,
          FileName: parseUploadKey(object_key)?.fileName,
          Checksum: checksum,
        },
      });
      logInfo("A file was stored.", { event_id, key: object_key, size: request.body.length });
      const answer: UploadAnswer = {
        event_id,
        event_status: "uploaded",
        bucket,
        key: object_key,
        size: request.body.length,
        content_type: request.contentType,
        checksum,
        checksum_algorithm: "SHA256",
      };
      return jsonResponse(201, answer);
    } catch (error) {
      return errorAnswer(error, event.requestContext.requestId);
    }
  };
}
