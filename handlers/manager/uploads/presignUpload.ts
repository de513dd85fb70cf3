import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { fileNameFor } from "../../../events/fileName";
import { SIGNED_PREFIX } from "../../../events/identity";
import { type Metadata, METADATA_HEADER, storedMetadata } from "../../../events/metadata";
import { httpError, jsonResponse } from "../../../runtime/http";
import { logInfo } from "../../../runtime/log";
import { invalid, parametersOf } from "../../../runtime/parameters";
import { acceptContentType } from "../../../runtime/requests/contentType";
import {
  eventDeleted,
  idempotencyKeyOf,
  idempotencyKeyReused,
} from "../../../runtime/requests/idempotencyKey";
import { jsonBody } from "../../../runtime/requests/jsonBody";
import { acceptMetadata, fingerprintOf } from "../../../runtime/requests/metadata";
import { reserve } from "../../../store/reservations";
import { statusOf } from "../../../store/rows";
import { isDeleted } from "../../../store/tombstones";
import type { ManagerContext, ManagerRequest } from "../request";
import { stageUrl } from "../stageUrl";

/** Bytes; S3's limit for an object written by one request: 5 GiB. */
export const MAX_SIGNED_BYTES = 5 * 1024 ** 3;

/** How long a signed request is valid, in seconds. S3 checks it when an upload begins. */
export const SIGNED_SECONDS = 3600;

interface UploadRequest {
  fileName: string;
  contentType: string;
  /** Bytes. */
  size: number;
  /** SHA-256 in base64; null: unknown. */
  checksum: string | null;
  metadata?: Metadata;
}

/** @throws an `HttpError` 400 or 413 */
function sizeOf({ size }: Record<string, unknown>): number {
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 1) {
    throw invalid(
      "size",
      `The file's size is needed: a whole number of bytes, from 1 to ${MAX_SIGNED_BYTES}.`,
    );
  }
  if (size > MAX_SIGNED_BYTES) {
    throw httpError(
      413,
      "too_large",
      `The file has ${size} bytes; an upload may have at most ${MAX_SIGNED_BYTES} bytes (5 GiB), ` +
        "the most that S3 takes in one request.",
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
  const body = jsonBody(event, ["filename", "content_type", "size", "checksum_sha256", "metadata"]);
  const { filename, content_type: given } = body;
  if (filename !== undefined && typeof filename !== "string") {
    throw invalid("filename", "The file name has to be a text.");
  }
  if (given !== undefined && typeof given !== "string") {
    throw invalid("content_type", "The content type has to be a text such as image/jpeg.");
  }
  const contentType = acceptContentType(given, allowedTypes, filename);
  return {
    fileName: fileNameFor(filename, contentType),
    contentType,
    size: sizeOf(body),
    checksum: checksumOf(body),
    metadata: acceptMetadata(body.metadata),
  };
}

/** The headers that the request must have, exactly: they are in its signature. */
function headersOf(request: UploadRequest): Record<string, string> {
  const { contentType, size, checksum, metadata = {} } = request;
  const entries = Object.entries(storedMetadata(metadata));
  return {
    "Content-Length": String(size),
    "Content-Type": contentType,
    // What is stored stays: S3 refuses a second request with 412.
    "If-None-Match": "*",
    ...(checksum !== null && { "x-amz-checksum-sha256": checksum }),
    ...Object.fromEntries(entries.map(([name, value]) => [METADATA_HEADER + name, value])),
  };
}

/** The URL of a PutObject with all of its headers signed, and none of them in its query. */
function signedUrl(
  s3: S3Client,
  { bucket, key }: { bucket: string; key: string },
  { contentType, size, checksum, metadata }: UploadRequest,
  headers: Record<string, string>,
): Promise<string> {
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key: key,
    ContentLength: size,
    ContentType: contentType,
    Metadata: metadata && storedMetadata(metadata),
    IfNoneMatch: "*",
    ChecksumSHA256: checksum ?? undefined,
  });
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  return getSignedUrl(s3, command, {
    expiresIn: SIGNED_SECONDS,
    signableHeaders: new Set(["host", ...names]),
    unhoistableHeaders: new Set(names),
  });
}

/**
 * `POST /uploads`: answers with a signed PUT, by which a client sends one file of up to 5 GiB to S3
 * itself, once. The bucket's event then records it. With an `Idempotency-Key` whose file has arrived, it
 * answers with the event's status instead.
 */
export async function presignUpload(
  manager: ManagerContext,
  { event }: ManagerRequest,
): Promise<APIGatewayProxyResult> {
  parametersOf(event, []);
  const { s3, store, bucketName } = manager;
  const request = readRequest(event, manager.allowedTypes);
  const idempotencyKey = idempotencyKeyOf(event);
  const reservation = await reserve(
    { dynamo: store.dynamo, tableName: store.reservationsTableName },
    // A tab, which no header's key has: an upload by anyone cannot use up an operator's key. (Forms of
    // earlier versions had `manager`: their keys are below the upload API's prefix.)
    idempotencyKey && `signed\t${idempotencyKey}`,
    { prefix: SIGNED_PREFIX, fileName: request.fileName },
    [
      request.contentType,
      request.fileName,
      request.size,
      request.checksum,
      ...fingerprintOf(request.metadata),
    ],
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
  // After the row, which is deleted after its tombstone is written.
  if (reservation.isRepeated && (await isDeleted(store, reservation))) {
    throw eventDeleted();
  }
  const expiresAt = new Date(Date.now() + SIGNED_SECONDS * 1000);
  const headers = headersOf(request);
  const url = await signedUrl(s3, identity, request, headers);
  logInfo("Upload signed.", { event_id, key: object_key, size: request.size });
  const answer = { method: "PUT", url, headers, expires_at: expiresAt.toISOString() };
  const Location = `${stageUrl(event, "/uploads")}/events/${event_id}`;
  return jsonResponse(201, { ...identity, ...answer }, { Location });
}
