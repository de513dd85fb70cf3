import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";

/** A photo of 1200 x 800 pixels. */
export const JPEG = readFileSync(join(__dirname, "..", "..", "..", "sample.jpg"));

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    }
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function uint16(value: number): Buffer {
  return uint32(value).subarray(2);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  return Buffer.concat([uint32(data.length), body, uint32(crc32(body))]);
}

/** A grey picture. */
export function png(width: number, height: number): Buffer {
  const header = Buffer.concat([uint32(width), uint32(height), Buffer.from([8, 0, 0, 0, 0])]);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(Buffer.alloc((width + 1) * height))),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

/** The header of a GIF, up to its colour table. */
export function gif(width: number, height: number): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt16LE(width, 0);
  size.writeUInt16LE(height, 2);
  return Buffer.concat([Buffer.from("GIF89a"), size, Buffer.from([0, 0, 0, 0x3b])]);
}

/** The header of a WebP in the extended format. */
export function webp(width: number, height: number): Buffer {
  const chunk = Buffer.alloc(18);
  chunk.write("VP8X", 0, "latin1");
  chunk.writeUInt32LE(10, 4);
  chunk.writeUIntLE(width - 1, 12, 3);
  chunk.writeUIntLE(height - 1, 15, 3);
  const riff = Buffer.alloc(8);
  riff.write("RIFF", 0, "latin1");
  riff.writeUInt32LE(4 + chunk.length, 4);
  return Buffer.concat([riff, Buffer.from("WEBP"), chunk]);
}

/** The first entry of a ZIP file: `a`, of one byte. */
export const ZIP = Buffer.concat([
  Buffer.from([0x50, 0x4b, 3, 4, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  Buffer.from([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]),
  Buffer.from("ax"),
]);

export const PDF = Buffer.from("%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n");

export function segment(marker: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xff, marker]), uint16(data.length + 2), data]);
}

/** The photo with these application segments in front. */
export function withSegments(...segments: Buffer[]): Buffer {
  return Buffer.concat([JPEG.subarray(0, 2), ...segments, JPEG.subarray(2)]);
}

/** The photo after 100 kB of application data, so that its dimensions are past the first 64 KiB. */
export function jpegWithLongHead(): Buffer {
  const part = segment(0xed, Buffer.alloc(50_000));
  return withSegments(part, part);
}

/** The photo with an EXIF orientation, 1 to 8; 5 to 8 swap width and height. */
export function jpegTurned(orientation: number): Buffer {
  return withSegments(exif(orientation));
}

/** EXIF data with nothing but an orientation. */
export function exif(orientation: number): Buffer {
  const tiff = Buffer.concat([
    Buffer.from("MM\0*", "latin1"),
    uint32(8),
    uint16(1),
    uint16(0x0112),
    uint16(3),
    uint32(1),
    uint16(orientation),
    uint16(0),
    uint32(0),
  ]);
  return segment(0xe1, Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff]));
}

/** How a TIFF file is written. */
export interface TiffOptions {
  littleEndian?: boolean;
  /** BigTIFF. */
  big?: boolean;
  /** Bytes between the header and the directory. @default 8 */
  gap?: number;
}

type TiffTag = [tag: number, type: number, value: number];

/** A TIFF file's header and directories, without pixels. Each directory is a list of tags. */
export function tiff(directories: TiffTag[][], options: TiffOptions = {}): Buffer {
  const { littleEndian = true, big = false, gap = 8 } = options;
  const number = (value: number, bytes: number) => {
    const buffer = Buffer.alloc(bytes);
    if (littleEndian) {
      buffer.writeUIntLE(value, 0, Math.min(bytes, 6));
    } else {
      buffer.writeUIntBE(value, Math.max(bytes - 6, 0), Math.min(bytes, 6));
    }
    return buffer;
  };
  const word = big ? 8 : 4;
  const start = (big ? 16 : 8) + gap;
  const order = Buffer.from(littleEndian ? "II" : "MM");
  const header = big
    ? [order, number(43, 2), number(8, 2), number(0, 2), number(start, 8)]
    : [order, number(42, 2), number(start, 4)];
  const entries = directories.map((tags) => [
    number(tags.length, big ? 8 : 2),
    ...tags.map(([tag, type, value]) => {
      const field = number(value, type === 3 ? 2 : 4);
      const rest = Buffer.alloc(word - field.length);
      return Buffer.concat([number(tag, 2), number(type, 2), number(1, word), field, rest]);
    }),
    number(0, word),
  ]);
  return Buffer.concat([...header, Buffer.alloc(gap), ...entries.flat()]);
}

function box(type: string, ...content: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), ...content]);
  return Buffer.concat([uint32(body.length + 4), body]);
}

const numbers = (...values: number[]) => Buffer.concat(values.map(uint32));

/** The size of an image, its clean aperture, its rotation in quarter turns. */
export const ispe = (width: number, height: number) => box("ispe", numbers(0, width, height));
export const clap = (width: number, height: number) =>
  box("clap", numbers(width * 2, 2, height, 1, 0, 1, 0, 1));
export const irot = (turns: number) => box("irot", Buffer.from([turns]));
export const imir = () => box("imir", Buffer.from([0]));

/** A HEIF file whose primary item, the second, has these of the properties, numbered from 1. */
export function heif(
  brand: string,
  properties: Buffer[],
  ofPrimary: number[],
  before: Buffer = Buffer.alloc(0),
): Buffer {
  const associations = [
    numbers(0, 2),
    Buffer.from([0, 1, 1, 0x81]),
    Buffer.from([0, 2, ofPrimary.length, ...ofPrimary.map((index) => 0x80 | index)]),
  ];
  const iprp = box("iprp", box("ipco", ...properties), box("ipma", ...associations));
  const pitm = box("pitm", numbers(0), uint16(2));
  return Buffer.concat([
    box("ftyp", Buffer.from(`${brand}\0\0\0\0mif1`, "latin1")),
    before,
    box("meta", numbers(0), pitm, iprp),
  ]);
}

/** Coded pictures, before the description of them. */
export const mdat = (bytes: number) => box("mdat", Buffer.alloc(bytes));

/** An ID3 tag of so many bytes. */
export function id3(length: number): Buffer {
  const size = [21, 14, 7, 0].map((bits) => (length >>> bits) & 0x7f);
  return Buffer.concat([Buffer.from("ID3\x04\0\0"), Buffer.from(size), Buffer.alloc(length)]);
}
