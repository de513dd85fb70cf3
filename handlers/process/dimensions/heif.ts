import type { FileRanges } from "../fileRanges";
import { RANGE_BYTES } from "../fileRanges";
import { type Dimensions, latin1, viewOf } from "./dimensions";

/** Of the boxes that one box has. Files have a handful, or one for each tile of an image. */
const MAX_BOXES = 4096;

/** A box of an ISO base media file (ISO/IEC 14496-12). */
interface Box {
  type: string;
  /** Of its content, in the file. */
  start: number;
  end: number;
}

/** The boxes from `start` on, until one of these types is found. */
async function boxesIn(
  ranges: FileRanges,
  { start, end }: { start: number; end: number },
  until: string[] = [],
): Promise<Box[]> {
  const boxes: Box[] = [];
  let at = start;
  while (at + 8 <= end && boxes.length < MAX_BOXES) {
    const bytes = await ranges.at(at, at + 16 <= end ? 16 : 8);
    if (bytes === undefined) {
      break;
    }
    const view = viewOf(bytes);
    const type = latin1(bytes, 4, 8);
    const isLong = view.getUint32(0) === 1 && bytes.length >= 16;
    const size = isLong ? Number(view.getBigUint64(8)) : view.getUint32(0) || end - at;
    const header = isLong ? 16 : 8;
    if (size < header || at + size > end) {
      break;
    }
    boxes.push({ type, start: at + header, end: at + size });
    if (until.includes(type)) {
      break;
    }
    at += size;
  }
  return boxes;
}

async function contentOf(ranges: FileRanges, box: Box | undefined): Promise<Uint8Array> {
  const length = box === undefined ? 0 : Math.min(box.end - box.start, RANGE_BYTES);
  const bytes = box && (await ranges.at(box.start, length));
  return bytes?.subarray(0, length) ?? Buffer.alloc(0);
}

/** Reads numbers one after the other; zeros after the end. */
function numbersOf(bytes: Uint8Array) {
  const view = viewOf(bytes);
  let at = 0;
  const next = (length: 1 | 2 | 4) => {
    const start = at;
    at += length;
    if (at > bytes.length) {
      return 0;
    }
    return length === 1
      ? view.getUint8(start)
      : length === 2
        ? view.getUint16(start)
        : view.getUint32(start);
  };
  return { next, ended: () => at >= bytes.length };
}

/** The item that a viewer shows. */
function primaryItem(bytes: Uint8Array): number {
  const { next } = numbersOf(bytes);
  return next(4) >>> 24 === 0 ? next(2) : next(4);
}

/** The numbers, from 1 on, of the properties of an item, in the order in which they apply. */
function propertiesOf(item: number, associations: Uint8Array): number[] {
  const { next, ended } = numbersOf(associations);
  const versionAndFlags = next(4);
  const [isLongId, isLongIndex] = [versionAndFlags >>> 24 > 0, (versionAndFlags & 1) === 1];
  for (let items = next(4); items > 0 && !ended(); items -= 1) {
    const id = isLongId ? next(4) : next(2);
    const indexes: number[] = [];
    for (let count = next(1); count > 0; count -= 1) {
      // The first bit says whether the property is essential.
      indexes.push(isLongIndex ? next(2) & 0x7fff : next(1) & 0x7f);
    }
    if (id === item) {
      return indexes;
    }
  }
  return [];
}

function applyProperty(type: string, bytes: Uint8Array, { width, height }: Dimensions): Dimensions {
  const { next } = numbersOf(bytes);
  if (type === "ispe") {
    next(4);
    return { width: next(4), height: next(4) };
  }
  if (type === "clap") {
    // The aperture's width and height, each as numerator and denominator.
    const [widthN, widthD, heightN, heightD] = [next(4), next(4), next(4), next(4)];
    return { width: Math.round(widthN / widthD), height: Math.round(heightN / heightD) };
  }
  // Turns by 90 degrees, anticlockwise.
  return type === "irot" && (next(1) & 1) === 1
    ? { width: height, height: width }
    : { width, height };
}

/**
 * The primary image of a HEIF or AVIF file (ISO/IEC 23008-12), cropped and turned as its properties
 * say. A mirrored image has the same dimensions.
 */
export async function heifDimensions(ranges: FileRanges): Promise<Dimensions | undefined> {
  const meta = (await boxesIn(ranges, { start: 0, end: ranges.size }, ["meta"])).at(-1);
  if (meta?.type !== "meta") {
    return undefined;
  }
  // Version and flags come before its boxes.
  const inMeta = await boxesIn(ranges, { start: meta.start + 4, end: meta.end });
  const properties = inMeta.find(({ type }) => type === "iprp");
  const inProperties = properties ? await boxesIn(ranges, properties) : [];
  const container = inProperties.find(({ type }) => type === "ipco");
  if (container === undefined) {
    return undefined;
  }
  const primary = primaryItem(
    await contentOf(
      ranges,
      inMeta.find(({ type }) => type === "pitm"),
    ),
  );
  const all = await boxesIn(ranges, container);
  let indexes: number[] = [];
  for (const associations of inProperties.filter(({ type }) => type === "ipma")) {
    indexes.push(...propertiesOf(primary, await contentOf(ranges, associations)));
  }
  if (indexes.length === 0) {
    indexes = all.map((_, index) => index + 1).filter((n) => all[n - 1]?.type === "ispe");
  }
  let dimensions: Dimensions = { width: 0, height: 0 };
  for (const index of indexes) {
    const box = all[index - 1];
    if (box !== undefined && ["ispe", "clap", "irot"].includes(box.type)) {
      dimensions = applyProperty(box.type, await contentOf(ranges, box), dimensions);
    }
  }
  return dimensions;
}
