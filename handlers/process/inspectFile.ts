import { createHash } from "node:crypto";
import { fileTypeFromBuffer } from "file-type";
import { imageSize } from "image-size";
import type { EventResult } from "../../events/event";
import { actualMediaType, canonicalMediaType, contradicts } from "../../events/mediaType";
import type { Checksum, FilePart, StoredFile } from "./storedFile";

/** One small request: has the type of any file and the dimensions of nearly all images. */
const HEAD_BYTES = 64 * 1024;

/** For JPEGs whose dimensions follow a large preview or colour profile. */
const LONG_HEAD_BYTES = 1024 * 1024;

function dimensionsOf(bytes: Uint8Array): { width: number; height: number } | undefined {
  try {
    const { width, height, orientation } = imageSize(bytes);
    // EXIF orientations from 5 on rotate the image by 90 degrees.
    return (orientation ?? 1) >= 5 ? { width: height, height: width } : { width, height };
  } catch {
    // It throws for files that are not images, and for truncated ones.
    return undefined;
  }
}

async function imageDimensions(file: StoredFile, head: FilePart) {
  const dimensions = dimensionsOf(head.bytes);
  if (dimensions !== undefined || head.size <= head.bytes.length) {
    return dimensions;
  }
  return dimensionsOf((await file.read(0, LONG_HEAD_BYTES)).bytes);
}

async function checksumOf(file: StoredFile, head: FilePart): Promise<Checksum | undefined> {
  if (file.event.event_info.Checksum === undefined && head.bytes.length === head.size) {
    return { algorithm: "SHA256", value: createHash("sha256").update(head.bytes).digest("hex") };
  }
  return file.checksum();
}

/**
 * Inspects a file: media type by its bytes, size, checksum, and the dimensions of an image. Reads
 * the first 64 KiB, and more only of an image whose dimensions are further on.
 *
 * To process files in another way, replace it in index.ts by any `ProcessFile` function.
 */
export async function inspectFile(file: StoredFile): Promise<EventResult> {
  const head = await file.read(0, HEAD_BYTES);
  const declared = canonicalMediaType(head.contentType);
  const detected = (await fileTypeFromBuffer(head.bytes))?.mime;
  const checksum = await checksumOf(file, head);
  const result: EventResult = {
    size: head.size,
    type: actualMediaType(declared, detected),
    checksum: checksum?.value,
    checksum_algorithm: checksum?.algorithm,
  };
  if (contradicts(declared, detected)) {
    result.declared_type = declared;
  }
  if (result.type.startsWith("image/")) {
    Object.assign(result, await imageDimensions(file, head));
  }
  return result;
}
