import { latin1, viewOf } from "./dimensions";

/** TIFF's tags, as numbers; https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf */
export const NEW_SUBFILE_TYPE = 254;
export const IMAGE_WIDTH = 256;
export const IMAGE_LENGTH = 257;
export const ORIENTATION = 274;
export const SUB_IFDS = 330;

/** How a TIFF file, or the EXIF data of a JPEG, writes its numbers. */
export interface TiffHeader {
  littleEndian: boolean;
  /** BigTIFF: counts and offsets of 64 bits. */
  big: boolean;
  /** Of the first directory. */
  offset: number;
}

/** One value of a directory. */
export interface TiffValue {
  /** How many values the tag has. */
  count: number;
  /** The value, where it stands in the directory itself, or else the offset of the values. */
  value: number;
}

/** Bytes that `tiffHeader` reads. */
export const TIFF_HEADER_BYTES = 16;

export function tiffHeader(bytes: Uint8Array): TiffHeader | undefined {
  const order = latin1(bytes, 0, 2);
  if (bytes.length < 8 || (order !== "II" && order !== "MM")) {
    return undefined;
  }
  const littleEndian = order === "II";
  const view = viewOf(bytes);
  const version = view.getUint16(2, littleEndian);
  if (version === 42) {
    return { littleEndian, big: false, offset: view.getUint32(4, littleEndian) };
  }
  if (version === 43 && bytes.length >= 16 && view.getUint16(4, littleEndian) === 8) {
    return { littleEndian, big: true, offset: Number(view.getBigUint64(8, littleEndian)) };
  }
  return undefined;
}

/** Bytes of the number that a directory begins with, and of one entry. */
export function directoryLayout({ big }: TiffHeader) {
  return big ? { countBytes: 8, entryBytes: 20 } : { countBytes: 2, entryBytes: 12 };
}

/** How many entries the directory has. */
export function entryCount(bytes: Uint8Array, { big, littleEndian }: TiffHeader): number {
  const view = viewOf(bytes);
  return big ? Number(view.getBigUint64(0, littleEndian)) : view.getUint16(0, littleEndian);
}

function valueAt(view: DataView, at: number, type: number, header: TiffHeader): number {
  const { littleEndian, big } = header;
  if (type === 1) {
    return view.getUint8(at);
  }
  if (type === 3) {
    return view.getUint16(at, littleEndian);
  }
  return big && (type === 16 || type === 18)
    ? Number(view.getBigUint64(at, littleEndian))
    : view.getUint32(at, littleEndian);
}

/**
 * The entries of a directory with these tags, by tag.
 *
 * @param bytes from the directory's beginning; entries past their end are left out
 */
export function tiffEntries(
  bytes: Uint8Array,
  header: TiffHeader,
  tags: number[],
): Record<number, TiffValue> {
  const { littleEndian, big } = header;
  const { countBytes, entryBytes } = directoryLayout(header);
  const view = viewOf(bytes);
  const found: Record<number, TiffValue> = {};
  const count = entryCount(bytes, header);
  for (let index = 0; index < count; index += 1) {
    const at = countBytes + index * entryBytes;
    if (at + entryBytes > bytes.length) {
      break;
    }
    const tag = view.getUint16(at, littleEndian);
    if (tags.includes(tag) && found[tag] === undefined) {
      const type = view.getUint16(at + 2, littleEndian);
      const values = big
        ? Number(view.getBigUint64(at + 4, littleEndian))
        : view.getUint32(at + 4, littleEndian);
      const valueStart = at + (big ? 12 : 8);
      found[tag] = {
        count: values,
        value:
          values === 1 || !big
            ? valueAt(view, valueStart, values === 1 ? type : 4, header)
            : Number(view.getBigUint64(valueStart, littleEndian)),
      };
    }
  }
  return found;
}
