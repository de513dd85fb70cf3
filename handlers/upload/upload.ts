import { createHash } from "node:crypto";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { parse as parseContentDisposition } from "content-disposition";
import { plainETag } from "../../events/eTag";
import type { FileEvent } from "../../events/event";
import { fileNameFor } from "../../events/fileName";
import { parseUploadKey, UPLOAD_PREFIX } from "../../events/identity";
import { type Metadata, storedMetadata } from "../../events/metadata";
import { asError } from "../../runtime/awsErrors";
import type { Environment } from "../../runtime/environment";
import {
  bodyBytes,
  errorAnswer,
  fromUtf8,
  header,
  httpError,
  jsonResponse,
} from "../../runtime/http";
import { logError, logInfo } from "../../runtime/log";
import { parametersOf } from "../../runtime/parameters";
import { acceptContentType } from "../../runtime/requests/contentType";
import { type CorsVariable, withCors } from "../../runtime/requests/cors";
import {
  eventDeleted,
  idempotencyKeyOf,
  idempotencyKeyReused,
} from "../../runtime/requests/idempotencyKey";
import { fingerprintOf, metadataOfHeaders } from "../../runtime/requests/metadata";
import { s3Client } from "../../runtime/s3Client";
import {
  dynamoClient,
  type GuardedEventStore,
  guardedEventStore,
  type GuardedEventVariable,
} from "../../store/eventStore";
import { reserve } from "../../store/reservations";
import { putEvent, putUndeletedEvent } from "../../store/rows";
import { isDeleted } from "../../store/tombstones";
import { LARGER_FILES } from "./largerFiles";

/** The body of a 201 answer. */
export interface UploadAnswer {
  event_id: string;
  /** The event's first status, also for repetitions of a request. */
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

/** `ALLOWED_CONTENT_TYPES` has patterns, separated by commas; `MAX_UPLOAD_BYTES` a whole number. */
export type UploadVariable =
  | GuardedEventVariable
  | CorsVariable
  | "BUCKET_NAME"
  | "MAX_UPLOAD_BYTES"
  | "ALLOWED_CONTENT_TYPES";

interface UploadRequest {
  body: Buffer;
  contentType: string;
  fileName: string;
  metadata?: Metadata;
  idempotencyKey?: string;
  /** SHA-256 of the body. */
  digest: Buffer;
}

function givenFileName(event: APIGatewayProxyEvent): string | undefined {
  const { filename } = parametersOf(event, ["filename"]);
  if (filename) {
    return filename;
  }
  const disposition = header(event, "content-disposition");
  if (!disposition) {
    return undefined;
  }
  const { filename: name } = parseContentDisposition(asBytes(disposition)).parameters;
  return name === undefined ? undefined : fromUtf8(name);
}

/** A header with other characters than bytes has been decoded already: its bytes, a character each. */
function asBytes(value: string): string {
  return /[^\0-\xff]/.test(value) ? Buffer.from(value, "utf8").toString("latin1") : value;
}

/** @throws an `HttpError` 415 for a body that is not the file itself */
function refuseEncoding(event: APIGatewayProxyEvent): void {
  const encoding = header(event, "content-encoding")?.trim().toLowerCase() ?? "";
  if (encoding !== "" && encoding !== "identity") {
    throw httpError(
      415,
      "encoding_not_supported",
      "Send the file without Content-Encoding: its bytes are stored and inspected as they come.",
    );
  }
}

/** @throws an `HttpError` for an invalid request */
function readRequest(
  event: APIGatewayProxyEvent,
  allowedTypes: string[],
  maxBytes: number,
): UploadRequest {
  if (event.httpMethod !== "POST") {
    throw httpError(405, "method_not_allowed", "Files are sent with POST.", { Allow: "POST" });
  }
  refuseEncoding(event);
  const given = givenFileName(event);
  const contentType = acceptContentType(header(event, "content-type"), allowedTypes, given);
  const idempotencyKey = idempotencyKeyOf(event);
  const metadata = metadataOfHeaders(event);
  const body = bodyBytes(event);
  if (body.length === 0) {
    throw httpError(400, "empty_body", "The body is empty: send the file's bytes as the body.");
  }
  if (body.length > maxBytes) {
    throw httpError(
      413,
      "too_large",
      `The file has ${body.length} bytes; a direct upload may have at most ${maxBytes} bytes. ` +
        LARGER_FILES,
    );
  }
  return {
    body,
    contentType,
    fileName: fileNameFor(given, contentType),
    metadata,
    idempotencyKey,
    digest: createHash("sha256").update(body).digest(),
  };
}

/** What is in the bucket, after a PutObject. */
interface StoredObject {
  /** Without quotes. */
  eTag: string;
  /** Whether an earlier request with the same `Idempotency-Key` may have put it. */
  isRepeated: boolean;
}

/**
 * Puts the object, unless its key exists: then an earlier request put it, or an earlier attempt of this
 * one, whose answer was lost. Should it hold other bytes all the same, the row's ETag, which is that of
 * these bytes, says so to `process`.
 */
async function storeObject(
  s3: S3Client,
  bucket: string,
  key: string,
  request: UploadRequest,
): Promise<StoredObject> {
  try {
    const { ETag } = await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: request.body,
        ContentLength: request.body.length,
        ContentType: request.contentType,
        Metadata: request.metadata && storedMetadata(request.metadata),
        ChecksumSHA256: request.digest.toString("base64"),
        IfNoneMatch: "*",
      }),
    );
    return { eTag: plainETag(ETag) ?? eTagOf(request.body), isRepeated: false };
  } catch (error) {
    const { name, $metadata } = asError(error);
    const isRepeated = request.idempotencyKey !== undefined;
    if (name === "PreconditionFailed" && (isRepeated || ($metadata?.attempts ?? 1) > 1)) {
      return { eTag: eTagOf(request.body), isRepeated };
    }
    throw error;
  }
}

/** S3's ETag of an object that is put at once and encrypted with S3's own keys: its MD5. */
function eTagOf(body: Buffer): string {
  return createHash("md5").update(body).digest("hex");
}

/**
 * Writes the row, unless it exists. Never fails. A request with an `Idempotency-Key` may be slower than its
 * own repetition, whose event is deleted meanwhile.
 *
 * @returns false: the event was deleted. The object is then left to `record` and the sweeper
 */
async function writeRow(
  store: GuardedEventStore,
  event: FileEvent,
  mayBeDeleted: boolean,
): Promise<boolean> {
  try {
    if (mayBeDeleted) {
      return (await putUndeletedEvent(store, event, "upload")) !== "deleted";
    }
    await putEvent(store, event, "upload");
  } catch (error) {
    // The file is in the bucket, where the sweeper finds it: the upload has succeeded.
    logError("Row not written; the sweeper will write it.", error, {
      event_id: event.event_id,
    });
  }
  return true;
}

/**
 * `POST /upload`: stores the body in the bucket, writes the row `uploaded`, and answers 201 with an
 * `UploadAnswer`. Every error is `{ "error": { "code", "message" } }`.
 */
export function uploadHandler(environment: Environment<UploadVariable>) {
  // The handler sends its own SHA-256.
  const s3 = s3Client({ requestChecksumCalculation: "WHEN_REQUIRED" });
  // With S3's three attempts of 4 s, all timeouts fit in the Lambda's 29 s.
  const dynamo = dynamoClient({ maxAttempts: 2, requestTimeout: 2000 });
  const store = guardedEventStore(environment, dynamo);
  const bucket = environment("BUCKET_NAME");
  const maxBytes = Number(environment("MAX_UPLOAD_BYTES"));
  const allowedTypes = environment("ALLOWED_CONTENT_TYPES").split(",");

  const serve = async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
    try {
      const request = readRequest(event, allowedTypes, maxBytes);
      const reservation = await reserve(
        { dynamo, tableName: store.reservationsTableName },
        request.idempotencyKey,
        { prefix: UPLOAD_PREFIX, fileName: request.fileName },
        [
          request.contentType,
          request.fileName,
          request.digest.toString("hex"),
          ...fingerprintOf(request.metadata),
        ],
      );
      if (reservation === undefined) {
        throw idempotencyKeyReused();
      }
      if (reservation.isRepeated && (await isDeleted(store, reservation))) {
        throw eventDeleted();
      }
      const { event_id, event_timestamp, object_key } = reservation;
      const { eTag, isRepeated } = await storeObject(s3, bucket, object_key, request);
      const checksum = request.digest.toString("hex");
      const row: FileEvent = {
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
          Metadata: request.metadata,
        },
      };
      if (!(await writeRow(store, row, request.idempotencyKey !== undefined))) {
        throw eventDeleted();
      }
      logInfo("File stored.", { event_id, key: object_key, size: request.body.length });
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
      const Location = `s3://${bucket}/${object_key.split("/").map(encodeURIComponent).join("/")}`;
      return jsonResponse(201, answer, {
        // The event's URL is the manager's, whose key an uploader does not have.
        Location,
        ...(isRepeated && { "Idempotent-Replayed": "true" }),
      });
    } catch (error) {
      return errorAnswer(error, event.requestContext.requestId, {
        log: "Upload failed.",
        unavailable: "The file could not be stored right now.",
        failed: "The file could not be stored.",
      });
    }
  };
  return withCors({ origins: environment("CORS_ORIGINS"), methods: "POST" }, serve);
}
