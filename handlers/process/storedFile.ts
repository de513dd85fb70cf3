import { GetObjectCommand, HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { quotedETag } from "../../events/eTag";
import type { EventInfo, FileEvent } from "../../events/event";
import { OBJECT_REPLACED } from "../../events/failures";
import { type Metadata, metadataOfObject } from "../../events/metadata";
import { asError } from "../../runtime/awsErrors";

/** A part of a file, with properties of the whole file. */
export interface FilePart {
  bytes: Uint8Array;
  /** Bytes of the whole file. */
  size: number;
  /** The declared media type. */
  contentType: string;
  /** The object's `Content-Encoding`. Absent: it has none. */
  contentEncoding?: string;
  /** The object's `x-amz-meta-…` as far as it fits the limits of metadata. Absent: it has none. */
  metadata?: Metadata;
}

/** A checksum of the whole file. */
export interface Checksum {
  /** `SHA256`, `CRC64NVME`, … */
  algorithm: string;
  /** Hexadecimal for SHA256, base64 for S3's other checksums. */
  value: string;
}

/**
 * Access to a stored file. Each read is of the bytes that the event tells of: after another write to
 * the same key, it throws an error named `ObjectReplaced`, which ends the event as `failed`. (A row
 * without an ETag, which is rare, has no such check.)
 */
export interface StoredFile {
  event: FileEvent;
  /** Reads bytes `start` to `end` (exclusive), as far as the file has them. */
  read(start: number, end: number): Promise<FilePart>;
  /** The file's checksum from the row or from S3, without reading the file. */
  checksum(): Promise<Checksum | undefined>;
}

// A function, because Pulumi cannot serialize a captured typed array.
function noBytes(): Uint8Array {
  return new Uint8Array(0);
}

function objectOf({ Bucket, Key, VersionId, ETag }: EventInfo) {
  return { Bucket, Key, VersionId, IfMatch: quotedETag(ETag) };
}

async function unlessReplaced<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    // The answer to a HEAD has no body, so its error has no other name than the status.
    if (asError(error).$metadata?.httpStatusCode === 412) {
      throw Object.assign(
        new Error("The object was overwritten. The later write has an event of its own."),
        { name: OBJECT_REPLACED },
      );
    }
    throw error;
  }
}

function totalSize(contentRange: string | undefined, length: number): number {
  const total = contentRange?.split("/")[1];
  return total === undefined ? length : Number(total);
}

async function readRange(
  s3: S3Client,
  info: EventInfo,
  start: number,
  end: number,
): Promise<FilePart> {
  try {
    const part = await unlessReplaced(
      s3.send(new GetObjectCommand({ ...objectOf(info), Range: `bytes=${start}-${end - 1}` })),
    );
    const bytes = (await part.Body?.transformToByteArray()) ?? noBytes();
    return {
      bytes,
      size: totalSize(part.ContentRange, bytes.length),
      contentType: part.ContentType ?? "application/octet-stream",
      contentEncoding: part.ContentEncoding,
      metadata: metadataOfObject(part.Metadata),
    };
  } catch (error) {
    // S3 answers so for any range of an empty object.
    if (asError(error).name !== "InvalidRange") {
      throw error;
    }
    const head = await unlessReplaced(s3.send(new HeadObjectCommand(objectOf(info))));
    return {
      bytes: noBytes(),
      size: head.ContentLength ?? 0,
      contentType: head.ContentType ?? "application/octet-stream",
      metadata: metadataOfObject(head.Metadata),
    };
  }
}

/** 32 bytes in base64. For an object uploaded in parts, S3 has a checksum of checksums, with `-N`. */
const WHOLE_SHA256 = /^[A-Za-z0-9+/]{43}=$/;

/** In hexadecimal, as in rows; unchanged for an object uploaded in parts. */
function sha256Of(value: string | undefined): string | undefined {
  return value !== undefined && WHOLE_SHA256.test(value)
    ? Buffer.from(value, "base64").toString("hex")
    : value;
}

async function storedChecksum(s3: S3Client, info: EventInfo): Promise<Checksum | undefined> {
  const head = await unlessReplaced(
    s3.send(new HeadObjectCommand({ ...objectOf(info), ChecksumMode: "ENABLED" })),
  );
  const known: [string, string | undefined][] = [
    ["SHA256", sha256Of(head.ChecksumSHA256)],
    ["CRC64NVME", head.ChecksumCRC64NVME],
    ["SHA1", head.ChecksumSHA1],
    ["CRC32C", head.ChecksumCRC32C],
    ["CRC32", head.ChecksumCRC32],
  ];
  for (const [algorithm, value] of known) {
    if (value !== undefined) {
      return { algorithm, value };
    }
  }
  return undefined;
}

/**
 * The event's object.
 *
 * @param seen is called with each part that is read
 */
export function storedFile(
  s3: S3Client,
  event: FileEvent,
  seen?: (part: FilePart) => void,
): StoredFile {
  const info = event.event_info;
  return {
    event,
    read: async (start, end) => {
      const part = await readRange(s3, info, start, end);
      seen?.(part);
      return part;
    },
    checksum: async () =>
      info.Checksum === undefined
        ? storedChecksum(s3, info)
        : { algorithm: "SHA256", value: info.Checksum },
  };
}
