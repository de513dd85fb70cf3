import type { FileRanges } from "../fileRanges";
import { RANGE_BYTES } from "../fileRanges";
import { type Dimensions, latin1, turned, viewOf } from "./dimensions";
import { ORIENTATION, tiffEntries, tiffHeader } from "./tiffDirectory";

/** Marker, length, precision, height and width. */
const FRAME_BYTES = 9;

const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;
const APP1 = 0xe1;

/** SOF0 to SOF15; DHT, JPG and DAC are between them. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** RST0 to RST7 and TEM; zero is no marker but a byte of data. */
function hasNoLength(marker: number): boolean {
  return (marker >= 0xd0 && marker <= 0xd8) || marker <= 0x01;
}

/** What is known of a JPEG, from its first segments on. */
interface Walk {
  /** Where the search goes on: a marker, or bytes before one. */
  offset: number;
  done: boolean;
  dimensions?: Dimensions;
  orientation?: number;
  /** The last segment, and how many of the same kind and length went before it without a gap. */
  marker: number;
  length: number;
  repeated: number;
}

/**
 * The orientation in EXIF data, which is a small TIFF file.
 *
 * @param bytes the segment's, as many as were read
 */
function exifOrientation(bytes: Uint8Array): number | undefined {
  if (latin1(bytes, 0, 5) !== "Exif\0") {
    return undefined;
  }
  const tiff = bytes.subarray(6);
  const header = tiffHeader(tiff);
  if (header === undefined || header.big || header.offset + 2 > tiff.length) {
    return undefined;
  }
  return tiffEntries(tiff.subarray(header.offset), header, [ORIENTATION])[ORIENTATION]?.value;
}

/** Goes over the segments in these bytes of the file, which begin at `walk.offset`. */
function walkOver(bytes: Uint8Array, walk: Walk): void {
  const base = walk.offset;
  const view = viewOf(bytes);
  let at = 0;
  for (;;) {
    // As decoders do, any bytes before a marker are skipped, and fill bytes before its last byte.
    while (at < bytes.length && bytes[at] !== 0xff) {
      at += 1;
    }
    while (at + 1 < bytes.length && bytes[at + 1] === 0xff) {
      at += 1;
    }
    walk.offset = base + at;
    if (at + FRAME_BYTES > bytes.length) {
      return;
    }
    const marker = bytes[at + 1] ?? 0;
    if (hasNoLength(marker)) {
      at += 2;
      continue;
    }
    if (isFrame(marker)) {
      walk.dimensions = { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    }
    if (isFrame(marker) || marker === START_OF_SCAN || marker === END_OF_IMAGE) {
      walk.done = true;
      return;
    }
    const length = view.getUint16(at + 2);
    if (marker === APP1 && walk.orientation === undefined) {
      walk.orientation = exifOrientation(bytes.subarray(at + 4, at + 2 + length));
    }
    walk.repeated = marker === walk.marker && length === walk.length ? walk.repeated + 1 : 0;
    walk.marker = marker;
    walk.length = length;
    at += 2 + Math.max(length, 2);
    walk.offset = base + at;
    if (at >= bytes.length) {
      return;
    }
  }
}

/**
 * Large metadata is cut into segments of one kind and length, too many to read one after the other.
 * Looks whether there is still such a segment a good way on, and if so, goes on from there.
 *
 * @param end no segment of this kind begins here or later
 * @returns the new `end`
 */
async function leap(ranges: FileRanges, walk: Walk, end: number): Promise<number> {
  const stride = walk.length + 2;
  const left = Math.floor((end - walk.offset) / stride);
  // A quarter of the distance with each read, so that the last reads cover what remains.
  const segments = Math.min(ranges.readsLeft() > 2 ? 24 : 12, Math.ceil(left / 2));
  const target = walk.offset + segments * stride;
  const bytes = segments > 1 ? await ranges.at(target, FRAME_BYTES) : undefined;
  if (bytes?.[0] === 0xff && bytes[1] === walk.marker) {
    walk.offset = target;
    return end;
  }
  return target;
}

/** Of a JPEG, however much metadata or fill bytes come before its frame, within the reads' limits. */
export async function jpegDimensions(ranges: FileRanges): Promise<Dimensions | undefined> {
  const walk: Walk = { offset: 2, done: false, marker: 0, length: 0, repeated: 0 };
  let end = ranges.size;
  for (;;) {
    const isLast = ranges.readsLeft() === 1;
    const bytes = await ranges.at(
      walk.offset,
      FRAME_BYTES,
      isLast ? ranges.bytesLeft() : RANGE_BYTES,
    );
    if (bytes === undefined) {
      return undefined;
    }
    walkOver(bytes, walk);
    if (walk.done) {
      return walk.dimensions && turned(walk.dimensions, walk.orientation);
    }
    while (
      walk.repeated > 0 &&
      ranges.readsLeft() > 1 &&
      end - walk.offset > ranges.bytesLeft() - RANGE_BYTES * (ranges.readsLeft() - 1)
    ) {
      const before = walk.offset;
      end = await leap(ranges, walk, end);
      if (walk.offset !== before || end - walk.offset <= walk.length + 2) {
        break;
      }
    }
  }
}
