import { fileTypeFromBuffer } from "file-type";
import { canonicalMediaType, UNKNOWN_BYTES } from "../../../events/mediaType/mediaType";
import { latin1, viewOf } from "../dimensions/dimensions";
import { TIFF_HEADER_BYTES, tiffHeader } from "../dimensions/tiffDirectory";
import type { FileRanges } from "../fileRanges";
import { textOf } from "./text";
import { netpbmType, textType } from "./textType";

/** Brands of HEIF's formats (ISO/IEC 23008-12, AV1 Image File Format), beside the major one. */
const IMAGE_BRANDS: [brand: RegExp, type: string][] = [
  [/avi[fs]/, "image/avif"],
  [/hei[cxms]/, "image/heic"],
  [/hev[cxms]/, "image/heic-sequence"],
];

/** An image that the first brand of its file names only by its container. */
function brandedType(bytes: Uint8Array, detected: string): string {
  if (latin1(bytes, 4, 8) !== "ftyp") {
    return detected;
  }
  const major = latin1(bytes, 8, 12);
  const isContainer = /^(mif[12]|msf1|miaf|MiHE|MiHB|MA1[AB]|1pic)$/.test(major);
  if (!isContainer && IMAGE_BRANDS.every(([brand]) => !brand.test(major))) {
    return detected;
  }
  const length = Math.min(viewOf(bytes).getUint32(0), 256);
  const brands = [major, ...(latin1(bytes, 16, length).match(/[^]{4}/g) ?? [])];
  const known = IMAGE_BRANDS.find(([brand]) => brands.some((name) => brand.test(name)));
  if (detected.startsWith("image/") && detected !== "image/heif") {
    return detected;
  }
  return known?.[1] ?? (isContainer ? "image/heif" : detected);
}

/** The length of an ID3v2 tag with its header; 0: there is none. Its bytes have seven bits each. */
function id3Length(bytes: Uint8Array): number {
  if (bytes.length < 10 || latin1(bytes, 0, 3) !== "ID3") {
    return 0;
  }
  const footer = ((bytes[5] ?? 0) & 0x10) === 0 ? 0 : 10;
  return 10 + bytes.subarray(6, 10).reduce((sum, byte) => sum * 128 + (byte & 0x7f), 0) + footer;
}

/** Where the file begins after its ID3 tags, as far as the reads go. */
async function afterTags(ranges: FileRanges): Promise<Uint8Array | undefined> {
  let bytes: Uint8Array | undefined = ranges.head;
  let start = 0;
  let length = id3Length(bytes);
  while (bytes !== undefined && length > 0) {
    start += length;
    bytes = await ranges.at(start, Math.min(16, Math.max(ranges.size - start, 1)));
    length = bytes === undefined ? 0 : id3Length(bytes);
  }
  return bytes;
}

async function signatureOf(bytes: Uint8Array): Promise<string | undefined> {
  try {
    const detected = (await fileTypeFromBuffer(bytes))?.mime;
    return detected === undefined ? undefined : brandedType(bytes, detected);
  } catch {
    // A damaged file, such as one whose compressed entries cannot be read.
    return undefined;
  }
}

/** Targa images, which have no signature, begin like an icon file without icons. */
function isIconless(bytes: Uint8Array, detected: string): boolean {
  return detected === "image/x-icon" && bytes[4] === 0 && bytes[5] === 0;
}

async function binaryType(ranges: FileRanges): Promise<string> {
  const { head } = ranges;
  if (id3Length(head) > 0) {
    const sound = await afterTags(ranges);
    const detected = sound && (await signatureOf(sound));
    return detected?.startsWith("audio/") ? detected : "audio/mpeg";
  }
  const detected = await signatureOf(head);
  if (detected !== undefined && !isIconless(head, detected)) {
    return detected;
  }
  // A TIFF file's first directory may be at its end.
  if (tiffHeader(head.subarray(0, TIFF_HEADER_BYTES)) !== undefined) {
    return "image/tiff";
  }
  const start = latin1(head, 0, 1024);
  if (start.startsWith("DDS \x7c\0\0\0")) {
    return "image/vnd.ms-dds";
  }
  // A PDF file may have other bytes before its header (ISO 32000-1, annex H).
  return start.includes("%PDF-") ? "application/pdf" : (netpbmType(start) ?? UNKNOWN_BYTES);
}

async function typeOf(ranges: FileRanges): Promise<string> {
  const { head, size } = ranges;
  const isWhole = head.length === size;
  const text = textOf(head, isWhole);
  const firstByte = head[0] ?? 0;
  if (text === undefined || (firstByte > 0x7f && firstByte !== 0xef)) {
    const type = await binaryType(ranges);
    return text === undefined || type !== UNKNOWN_BYTES ? type : textType(text, isWhole);
  }
  // Not by signatures: many are two or three letters, with which a text may begin as well.
  return textType(text, isWhole);
}

/**
 * The type of a file by its bytes, canonical: `text/plain` for text and `application/octet-stream`
 * for other bytes of which nothing more is known.
 */
export async function detectType(ranges: FileRanges): Promise<string> {
  return canonicalMediaType(await typeOf(ranges));
}
