import type { FileRanges } from "../fileRanges";
import { RANGE_BYTES } from "../fileRanges";
import { type Dimensions, turned, viewOf } from "./dimensions";
import {
  directoryLayout,
  entryCount,
  IMAGE_LENGTH,
  IMAGE_WIDTH,
  NEW_SUBFILE_TYPE,
  ORIENTATION,
  SUB_IFDS,
  TIFF_HEADER_BYTES,
  tiffEntries,
  type TiffHeader,
  tiffHeader,
  type TiffValue,
} from "./tiffDirectory";

/** Raw images have the thumbnail first, and the image in one of a few directories below it. */
const MAX_DIRECTORIES = 6;

async function entriesAt(
  ranges: FileRanges,
  header: TiffHeader,
  offset: number,
): Promise<Record<number, TiffValue> | undefined> {
  const { countBytes, entryBytes } = directoryLayout(header);
  const start = await ranges.at(offset, countBytes);
  if (start === undefined) {
    return undefined;
  }
  const bytes = countBytes + entryCount(start, header) * entryBytes;
  // Entries are in the order of their tags, so that the first ones suffice.
  const length = Math.min(bytes, RANGE_BYTES, ranges.size - offset);
  return tiffEntries((await ranges.at(offset, length)) ?? start, header, [
    NEW_SUBFILE_TYPE,
    IMAGE_WIDTH,
    IMAGE_LENGTH,
    ORIENTATION,
    SUB_IFDS,
  ]);
}

/** The offsets of the directories below one. */
async function offsetsBelow(
  ranges: FileRanges,
  { big, littleEndian }: TiffHeader,
  { count, value }: TiffValue,
): Promise<number[]> {
  if (count === 1) {
    return [value];
  }
  const bytesEach = big ? 8 : 4;
  const kept = Math.min(count, MAX_DIRECTORIES);
  const bytes = await ranges.at(value, kept * bytesEach);
  const view = bytes && viewOf(bytes);
  return Array.from({ length: view ? kept : 0 }, (_, index) =>
    big
      ? Number(view?.getBigUint64(index * bytesEach, littleEndian))
      : (view?.getUint32(index * bytesEach, littleEndian) ?? 0),
  );
}

function isReduced(entries: Record<number, TiffValue>): boolean {
  return ((entries[NEW_SUBFILE_TYPE]?.value ?? 0) & 1) === 1;
}

/**
 * The first image of a TIFF file, at any place of it; of a raw image, whose first directory is a
 * thumbnail's, the image itself.
 */
export async function tiffDimensions(ranges: FileRanges): Promise<Dimensions | undefined> {
  const header = tiffHeader(ranges.head.subarray(0, TIFF_HEADER_BYTES));
  const first = header && (await entriesAt(ranges, header, header.offset));
  if (header === undefined || first === undefined) {
    return undefined;
  }
  let image = first;
  const below = first[SUB_IFDS];
  if (isReduced(first) && below !== undefined) {
    for (const offset of await offsetsBelow(ranges, header, below)) {
      const entries = await entriesAt(ranges, header, offset);
      if (entries !== undefined && !isReduced(entries)) {
        image = entries;
        break;
      }
    }
  }
  const dimensions = {
    width: image[IMAGE_WIDTH]?.value ?? 0,
    height: image[IMAGE_LENGTH]?.value ?? 0,
  };
  return turned(dimensions, (image[ORIENTATION] ?? first[ORIENTATION])?.value);
}
