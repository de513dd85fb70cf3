import { createHash } from "node:crypto";
import type { EventResult } from "../../events/event";
import {
  actualMediaType,
  canonicalMediaType,
  contradicts,
  emptyFileType,
} from "../../events/mediaType/mediaType";
import { decodedHead } from "./decodedHead";
import { imageDimensions } from "./dimensions/imageDimensions";
import { fileRanges, RANGE_BYTES } from "./fileRanges";
import type { Checksum, FilePart, StoredFile } from "./storedFile";
import { detectType } from "./type/detectType";

async function checksumOf(file: StoredFile, head: FilePart): Promise<Checksum | undefined> {
  if (file.event.event_info.Checksum === undefined && head.bytes.length === head.size) {
    return { algorithm: "SHA256", value: createHash("sha256").update(head.bytes).digest("hex") };
  }
  return file.checksum();
}

/**
 * Inspects a file: media type by its bytes, size, checksum, and the dimensions of an image. Reads
 * the first 64 KiB, and more only where type or dimensions are further on: at most four times, and 1 MiB
 * in all.
 *
 * To process files in another way, replace it in index.ts by any `ProcessFile` function.
 */
export async function inspectFile(file: StoredFile): Promise<EventResult> {
  const head = await file.read(0, RANGE_BYTES);
  const declared = canonicalMediaType(head.contentType);
  // Who says gzip twice, as type and as encoding, means the file as it is.
  const isTwice = declared === "application/gzip" || declared === "application/zstd";
  const decoded = isTwice ? head : await decodedHead(head);
  // No other part of a compressed file can be decompressed.
  const ranges = fileRanges(file, decoded, decoded === head ? undefined : 0);
  const detected = ranges.size === 0 ? emptyFileType(declared) : await detectType(ranges);
  const type = actualMediaType(declared, detected);
  const checksum = await checksumOf(file, head);
  return {
    size: head.size,
    type,
    ...(contradicts(declared, detected) && { declared_type: declared }),
    checksum: checksum?.value,
    checksum_algorithm: checksum?.algorithm,
    ...(await imageDimensions(ranges, type)),
  };
}
