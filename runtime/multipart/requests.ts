import type { APIGatewayProxyEvent } from "aws-lambda";
import { plainETag } from "../../events/eTag";
import { type HttpError, httpError } from "../http";
import { invalid, parametersOf } from "../parameters";
import { isObject, jsonBody } from "../requests/jsonBody";
import { MAX_OBJECT_BYTES, MAX_PARTS, type NamedPart } from "./parts";
import { uploadNotFound } from "./refusals";

/** What a client says of the file of a new upload. */
export interface NewMultipart {
  /** As given; undefined: unknown. */
  fileName?: string;
  /** As given, unchecked; undefined: unknown. */
  contentType?: string;
  /** Bytes, from 1; undefined: unknown. */
  size?: number;
  /** As given: when the file was last changed, in whatever form; tells files of one name apart. */
  lastModified?: string;
  /** The entries of `metadata` that are none of the above, unchecked. */
  metadata: Record<string, unknown>;
}

/**
 * Names in `metadata` that describe the file: `name`, `type` and `relativePath` are @uppy/core's own (of
 * what `filename` and `type` say already), `crc64nvme` says that the checksum will come, which every
 * upload can do.
 */
const FILE_FIELDS = ["name", "type", "relativePath", "size", "last_modified", "crc64nvme"];

/** A field that is a text, or absent. */
function textOf(value: unknown, name: string, what: string): string | undefined {
  if (value === undefined || value === null || value === "") {
    return undefined;
  }
  if (typeof value !== "string") {
    throw invalid(name, `${what} has to be a text.`);
  }
  return value;
}

/**
 * Reads a file's size in bytes: a whole number, in JSON or as text.
 *
 * @returns undefined where it is not given
 * @throws an `HttpError` 400 or 413
 */
export function fileSizeOf(value: unknown): number | undefined {
  if (value === undefined || value === null || value === "") {
    return undefined;
  }
  const size = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw invalid("size", "The file's size has to be a whole number of bytes.");
  }
  if (size === 0) {
    throw httpError(400, "empty_file", "The file is empty: an upload in parts has to have a byte.");
  }
  if (size > MAX_OBJECT_BYTES) {
    throw httpError(
      413,
      "too_large",
      `The file has ${size} bytes; S3 takes at most ${MAX_OBJECT_BYTES} bytes (48.8 TiB).`,
    );
  }
  return size;
}

/**
 * Reads the body of a request for a new upload, as @uppy/aws-s3 sends it:
 * `{ filename, type, metadata }`. All may be left out. In `metadata`, `size` (bytes) and
 * `last_modified` are for clients of this program; what Uppy puts there itself is ignored.
 *
 * @throws an `HttpError` 400 or 413
 */
export function newMultipartOf(event: APIGatewayProxyEvent): NewMultipart {
  const { filename, type, metadata: given } = jsonBody(event, ["filename", "type", "metadata"]);
  const metadata = given ?? {};
  if (!isObject(metadata)) {
    throw invalid("metadata", "The metadata has to be an object of names and texts.");
  }
  const { last_modified: lastModified } = metadata;
  if (!["undefined", "string", "number"].includes(typeof (lastModified ?? undefined))) {
    throw invalid("last_modified", "The time of the last change has to be a text or a number.");
  }
  return {
    fileName: textOf(filename, "filename", "The file name"),
    contentType: textOf(type, "content_type", "The content type"),
    size: fileSizeOf(metadata.size),
    lastModified: (lastModified as string | number | undefined)?.toString(),
    metadata: Object.fromEntries(
      Object.entries(metadata).filter(([name]) => !FILE_FIELDS.includes(name)),
    ),
  };
}

/** How a client completes an upload. */
export interface Completion {
  /** From 1 on, without a gap. */
  parts: NamedPart[];
  /** Bytes of the whole file; undefined: unknown. */
  size?: number;
  /** CRC64NVME of the whole file, in base64; undefined: unknown. */
  checksum?: string;
}

function isPartNumber(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_PARTS;
}

function numberIn(value: unknown): unknown {
  return typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
}

function namedPart(part: unknown, index: number): NamedPart {
  const named = isObject(part) ? part : {};
  const PartNumber = numberIn(named.PartNumber);
  const ETag = typeof named.ETag === "string" ? plainETag(named.ETag) : undefined;
  if (!isPartNumber(PartNumber) || !ETag || !/^[\w-]{1,100}$/.test(ETag)) {
    throw invalid(
      "parts",
      `Entry ${index + 1} of "parts" has to be { "PartNumber": 1 to ${MAX_PARTS}, "ETag": "…" }.`,
    );
  }
  if (PartNumber !== index + 1) {
    throw invalid(
      "parts",
      `Entry ${index + 1} of "parts" is part ${PartNumber}: all parts of the file are needed, in order.`,
    );
  }
  return { PartNumber, ETag };
}

/** CRC64NVME, 8 bytes in base64. */
const CHECKSUM = /^[A-Za-z0-9+/]{10}[AEIMQUYcgkosw048]=$/;

/**
 * Reads the body of a request that completes an upload:
 * `{ parts: [{ PartNumber, ETag }], size?, checksum_crc64nvme? }`. ETags have quotes or none; other fields of a
 * part, such as `Size`, are ignored.
 *
 * @throws an `HttpError` 400
 */
export function completionOf(event: APIGatewayProxyEvent): Completion {
  const body = jsonBody(event, ["parts", "size", "checksum_crc64nvme"]);
  const { parts, checksum_crc64nvme: checksum } = body;
  if (!Array.isArray(parts) || parts.length === 0 || parts.length > MAX_PARTS) {
    throw invalid(
      "parts",
      `"parts" has to be a list of 1 to ${MAX_PARTS} entries { "PartNumber": 1, "ETag": "…" }.`,
    );
  }
  if (checksum !== undefined && (typeof checksum !== "string" || !CHECKSUM.test(checksum))) {
    throw invalid("checksum", "The checksum has to be a CRC64NVME: 8 bytes in base64.");
  }
  return { parts: parts.map(namedPart), size: fileSizeOf(body.size), checksum };
}

/** Which upload a request is for. */
export interface MultipartAddress {
  key: string;
  uploadId: string;
  /** Query parameters that the route has besides. */
  parameters: Record<string, string>;
}

/**
 * Reads `?key=…` and the upload's id, which is in the path.
 *
 * @param known further query parameters of the route
 * @throws an `HttpError` 400, or 404 for what cannot be an upload's id
 */
export function addressOf(
  event: APIGatewayProxyEvent,
  uploadId: string,
  known: string[] = [],
): MultipartAddress {
  const { key, ...parameters } = parametersOf(event, ["key", ...known]);
  if (!key) {
    throw invalid("key", 'The parameter "key" is needed: the object\'s key, as the upload has it.');
  }
  if (!/^[\w.~-]{1,1024}$/.test(uploadId)) {
    throw uploadNotFound();
  }
  return { key, uploadId, parameters };
}

/** @throws an `HttpError` 400 for anything but a number from 1 to 10,000 */
export function partNumberOf(text: string): number {
  const number = numberIn(text);
  if (!isPartNumber(number)) {
    throw invalidPartNumber(text);
  }
  return number;
}

export function invalidPartNumber(text: string, most = MAX_PARTS): HttpError {
  return invalid(
    "part_number",
    `"${text.slice(0, 20)}" is no part number here: they go from 1 to ${most}.`,
  );
}
