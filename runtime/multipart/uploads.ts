import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { plainETag, quotedETag } from "../../events/eTag";
import { asError } from "../awsErrors";
import type { ListedPart, NamedPart } from "./parts";
import { orRefusal } from "./refusals";

/** How long the URL of a part is valid, in seconds. S3 checks it when the part begins to arrive. */
export const PART_SECONDS = 15 * 60;

/**
 * Milliseconds for S3 to put the parts together, which takes it seconds for thousands of them. API
 * Gateway waits for 29 s in all.
 */
const COMPLETION_MS = 24_000;

/** An upload in parts that has begun. */
export interface MultipartUpload {
  bucket: string;
  key: string;
  uploadId: string;
}

/**
 * Begins an upload. S3 computes the CRC64NVME of the whole object from its parts.
 *
 * @param metadata texts by name, kept as `x-amz-meta-<name>`
 * @returns the upload's id
 */
export async function createMultipart(
  s3: S3Client,
  object: {
    bucket: string;
    key: string;
    contentType: string;
    metadata?: Record<string, string>;
  },
): Promise<string> {
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({
      Bucket: object.bucket,
      Key: object.key,
      ContentType: object.contentType,
      Metadata: object.metadata,
      ChecksumAlgorithm: "CRC64NVME",
      ChecksumType: "FULL_OBJECT",
    }),
  );
  if (UploadId === undefined) {
    throw new Error("S3 answered CreateMultipartUpload without an upload's id.");
  }
  return UploadId;
}

function inS3({ bucket, key, uploadId }: MultipartUpload) {
  return { Bucket: bucket, Key: key, UploadId: uploadId };
}

/**
 * The URL for a PUT of one part.
 *
 * @param size in bytes: S3 then takes a body of this length only; undefined: of any
 */
export async function signPart(
  s3: S3Client,
  upload: MultipartUpload,
  { partNumber, size }: { partNumber: number; size?: number },
): Promise<{ url: string; expires_at: string }> {
  const expiresAt = new Date(Date.now() + PART_SECONDS * 1000);
  const command = new UploadPartCommand({
    ...inS3(upload),
    PartNumber: partNumber,
    ContentLength: size,
  });
  const signed = size === undefined ? ["host"] : ["host", "content-length"];
  const url = await getSignedUrl(s3, command, {
    expiresIn: PART_SECONDS,
    signableHeaders: new Set(signed),
    unhoistableHeaders: new Set(signed),
  });
  return { url, expires_at: expiresAt.toISOString() };
}

/** Where S3 has the object of an upload: its URL, which says nothing without a signature. */
export async function locationOf(s3: S3Client, upload: MultipartUpload): Promise<string> {
  const { origin, pathname } = new URL((await signPart(s3, upload, { partNumber: 1 })).url);
  return origin + pathname;
}

/**
 * All parts that S3 has of an upload, by their number.
 *
 * @throws an `HttpError` 404 for an upload that is not open
 */
export async function listParts(s3: S3Client, upload: MultipartUpload): Promise<ListedPart[]> {
  const parts: ListedPart[] = [];
  let marker: string | undefined;
  do {
    const page: ListPartsCommandOutput = await orRefusal(
      s3.send(new ListPartsCommand({ ...inS3(upload), PartNumberMarker: marker })),
    );
    for (const { PartNumber = 0, Size = 0, ETag } of page.Parts ?? []) {
      parts.push({ PartNumber, Size, ETag: plainETag(ETag) ?? "" });
    }
    marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
  } while (marker !== undefined);
  return parts;
}

export interface CompletedObject {
  /** Without quotes. */
  eTag: string;
  /** CRC64NVME of the whole object, in base64; undefined: S3 does not tell. */
  checksum?: string;
}

/** @throws an error that is transient where the call and its repetitions take too long */
async function inTime<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await call(AbortSignal.timeout(COMPLETION_MS));
  } catch (error) {
    if (asError(error).name !== "AbortError") {
      throw error;
    }
    const message = "S3 has not put the parts together in time: it may still do so.";
    throw Object.assign(new Error(message), { name: "TimeoutError" });
  }
}

/**
 * Makes an object of the parts, unless there is one under the key.
 *
 * @param size of the file, in bytes: S3 refuses parts of another sum
 * @param checksum CRC64NVME of the whole file, in base64: S3 refuses parts of another one
 * @throws an `HttpError`: 404 `upload_not_found` or 409 `upload_completed` where it may be complete
 *   already, or another 4xx for parts that S3 refuses
 */
export async function completeMultipart(
  s3: S3Client,
  upload: MultipartUpload,
  { parts, size, checksum }: { parts: NamedPart[]; size?: number; checksum?: string },
): Promise<CompletedObject> {
  const command = new CompleteMultipartUploadCommand({
    ...inS3(upload),
    IfNoneMatch: "*",
    MpuObjectSize: size,
    ChecksumType: "FULL_OBJECT",
    ChecksumCRC64NVME: checksum,
    MultipartUpload: {
      Parts: parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag: quotedETag(ETag) })),
    },
  });
  const answer = await orRefusal(
    inTime((abortSignal) => s3.send(command, { requestTimeout: COMPLETION_MS, abortSignal })),
  );
  return {
    eTag: plainETag(answer.ETag) ?? completedETag(parts),
    checksum: answer.ChecksumCRC64NVME,
  };
}

/** Ends an upload and deletes its parts. One that is not open is no error. */
export async function abortMultipart(s3: S3Client, upload: MultipartUpload): Promise<void> {
  try {
    await s3.send(new AbortMultipartUploadCommand(inS3(upload)));
  } catch (error) {
    if (!(error instanceof Error && error.name === "NoSuchUpload")) {
      throw error;
    }
  }
}

/**
 * The ETag that S3 gives the object of these parts, without quotes: the MD5 of their MD5s, and their
 * number. (The bucket is encrypted by S3's own keys: with others, ETags are no MD5.)
 */
export function completedETag(parts: NamedPart[]): string {
  const digest = createHash("md5");
  for (const { ETag } of parts) {
    digest.update(ETag, "hex");
  }
  return `${digest.digest("hex")}-${parts.length}`;
}
