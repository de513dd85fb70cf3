import { expect } from "chai";
import { inspectFile } from "../../../handlers/process/inspectFile";
import {
  clap,
  exif,
  heif,
  imir,
  irot,
  ispe,
  mdat,
  segment,
  tiff,
  type TiffOptions,
  withSegments,
} from "./mediaFiles";
import { inspect, memoryFile } from "./memoryFile";

/** Inspects a file and counts what is read. */
async function inspectCounted(bytes: Buffer, contentType: string) {
  const file = memoryFile(bytes, contentType);
  const { width, height } = await inspectFile(file);
  const read = file.reads.map(([start, end]) => Math.min(end, bytes.length) - start);
  expect(file.reads.length, "reads").to.be.at.most(5);
  expect(
    read.reduce((sum, length) => sum + length, 0),
    "bytes",
  ).to.be.at.most(1024 * 1024);
  return { width, height, reads: file.reads.length };
}

describe("dimensions of a JPEG", () => {
  const metadata = (count: number, bytes = 65_533) =>
    Array.from({ length: count }, () => segment(0xe2, Buffer.alloc(bytes, 7)));

  for (const count of [1, 2, 3, 5, 8, 13, 20, 29, 37, 46]) {
    it(`are found behind ${count} segments of metadata of 64 KiB`, async () => {
      const found = await inspectCounted(withSegments(...metadata(count)), "image/jpeg");
      expect(found).to.include({ width: 1200, height: 800 });
    });
  }

  it("are found behind segments of different lengths, turned by the last one", async () => {
    const lengths = [60_000, 30_000, 65_000, 2_000, 64_000, 61_000, 65_500];
    const segments = lengths.map((length) => segment(0xed, Buffer.alloc(length)));
    const bytes = withSegments(...segments, exif(6));
    expect(await inspectCounted(bytes, "image/jpeg")).to.include({ width: 800, height: 1200 });
  });

  it("are turned by an orientation before megabytes of metadata", async () => {
    const bytes = withSegments(exif(8), ...metadata(30, 65_400), segment(0xe2, Buffer.alloc(10)));
    expect(await inspectCounted(bytes, "image/jpeg")).to.include({ width: 800, height: 1200 });
  });

  it("are found behind fill bytes", async () => {
    for (const length of [1, 7, 100_000]) {
      const bytes = withSegments(Buffer.alloc(length, 0xff));
      expect(await inspectCounted(bytes, "image/jpeg")).to.include({ width: 1200, height: 800 });
    }
  });

  it("are omitted where the frame is out of reach, or has none", async () => {
    const far = Array.from({ length: 400 }, (_, index) =>
      segment(0xe2, Buffer.alloc(60_000 + index)),
    );
    for (const bytes of [
      withSegments(...far),
      Buffer.from([0xff, 0xd8, 0xff, 0xd9, 0, 0, 0, 0, 0]),
    ]) {
      const { width, height } = await inspectCounted(bytes, "image/jpeg");
      expect([width, height]).to.deep.equal([undefined, undefined]);
    }
  });
});

describe("dimensions of a TIFF", () => {
  const tags: [number, number, number][] = [
    [256, 4, 640],
    [257, 3, 480],
    [274, 3, 6],
  ];
  for (const littleEndian of [true, false]) {
    for (const big of [false, true]) {
      it(`are turned and found at the end of a file: ${littleEndian ? "II" : "MM"}${big ? ", BigTIFF" : ""}`, async () => {
        const options: TiffOptions = { littleEndian, big, gap: 3_000_000 };
        const bytes = tiff([tags], options);
        const found = await inspectCounted(bytes, "image/tiff");
        expect(found).to.deep.equal({ width: 480, height: 640, reads: 2 });
        expect(await inspect(bytes, "")).to.include({ type: "image/tiff" });
      });
    }
  }

  it("are the raw image's, not its thumbnail's", async () => {
    const thumbnail: [number, number, number][] = [
      [254, 4, 1],
      [256, 4, 160],
      [257, 4, 120],
      [330, 4, 16 + 2 + 4 * 12 + 4],
    ];
    const raw: [number, number, number][] = [
      [254, 4, 0],
      [256, 4, 6000],
      [257, 4, 4000],
    ];
    const found = await inspectCounted(tiff([thumbnail, raw]), "image/x-pentax-pef");
    expect(found).to.include({ width: 6000, height: 4000 });
  });

  it("are omitted for directories that are truncated, cyclic or out of the file", async () => {
    const cyclic = tiff([
      [
        [254, 4, 1],
        [330, 4, 16],
      ],
    ]);
    const endless = tiff([tags]);
    endless.writeUInt16LE(65_535, 16);
    expect(await inspectCounted(cyclic, "image/tiff")).to.include({ width: undefined });
    expect(await inspectCounted(endless, "image/tiff")).to.include({ width: 480 });
    for (const big of [false, true]) {
      const outside = tiff([tags], { big });
      outside.fill(0xff, big ? 8 : 4, big ? 16 : 8);
      expect(await inspectCounted(outside, "image/tiff")).to.include({ width: undefined });
      const cut = tiff([tags], { big }).subarray(0, 30);
      expect(await inspectCounted(cut, "image/tiff")).to.include({ width: undefined });
    }
  });
});

describe("dimensions of a HEIF or AVIF file", () => {
  const properties = [ispe(160, 120), ispe(4000, 3000), clap(3900, 2800), irot(1), imir(), irot(2)];
  const cases: [what: string, ofPrimary: number[], width: number, height: number][] = [
    ["as they are", [2], 4000, 3000],
    ["turned", [2, 4], 3000, 4000],
    ["turned by half", [2, 6, 5], 4000, 3000],
    ["cropped", [2, 3], 3900, 2800],
    ["cropped, turned and mirrored", [2, 3, 4, 5], 2800, 3900],
  ];
  for (const [what, ofPrimary, width, height] of cases) {
    it(`are the primary image's, ${what}`, async () => {
      const found = await inspectCounted(heif("heic", properties, ofPrimary), "image/heic");
      expect(found).to.deep.equal({ width, height, reads: 1 });
      expect(await inspectCounted(heif("avif", properties, ofPrimary), "")).to.include({ width });
    });
  }

  it("are found behind the coded pictures", async () => {
    const bytes = heif("heic", properties, [2], mdat(2_000_000));
    expect(await inspectCounted(bytes, "image/heic")).to.include({ width: 4000, reads: 2 });
  });

  it("are omitted for boxes that lie or are cut off", async () => {
    const whole = heif("heic", properties, [2, 3, 4]);
    for (let length = 20; length < whole.length; length += 7) {
      expect((await inspectCounted(whole.subarray(0, length), "image/heic")).reads).to.equal(1);
    }
    const zeroAperture = heif("heic", [ispe(10, 10), clap(0, 0)], [1, 2]);
    expect(await inspectCounted(zeroAperture, "image/heic")).to.include({ width: undefined });
  });
});

describe("dimensions that are not whole numbers of pixels", () => {
  const texts: [type: string, text: string, width?: number, height?: number][] = [
    ["image/svg+xml", '<svg width="1e999" height="2"/>'],
    ["image/svg+xml", '<svg width="-1" height="2"/>'],
    ["image/svg+xml", '<svg width="0" height="2"/>'],
    ["image/svg+xml", '<svg viewBox="0 0 0 0" width="9"/>'],
    ["image/svg+xml", "<svg width='1in' height='1.6px'/>", 96, 2],
    ["image/svg+xml", '<!-- <svg width="1" height="1"> --><svg viewBox="0,0 30.2 20"/>', 30, 20],
    ["image/svg+xml", '<svg width="100%" height="50" viewBox="0 0 4 2"/>', 100, 50],
    ["image/x-portable-pixmap", "P6\nab cd\n255\n"],
    ["image/x-portable-pixmap", "P6\n-3 4\n255\n\0"],
    ["image/x-portable-pixmap", "P6 # a comment\n3 4\n255\n\0", 3, 4],
    ["image/x-portable-arbitrarymap", "P7\nWIDTH 5\nHEIGHT 6\nDEPTH 3\nENDHDR\n\0", 5, 6],
  ];
  for (const [type, text, width, height] of texts) {
    it(`are ${width === undefined ? "omitted" : "rounded or read"}: ${JSON.stringify(text)}`, async () => {
      const result = await inspect(Buffer.from(text), type);
      expect([result.width, result.height]).to.deep.equal([width, height]);
    });
  }

  it("are omitted where they are negative, as no format of a signature has them", async () => {
    const bitmap = Buffer.alloc(60);
    bitmap.write("BM");
    bitmap.writeInt32LE(40, 14);
    bitmap.writeInt32LE(-5, 18);
    bitmap.writeInt32LE(-7, 22);
    const drawing = Buffer.concat([
      Buffer.from("8BPS\0\x01\0\0\0\0\0\0\0\x03"),
      Buffer.alloc(12, 255),
    ]);
    for (const [bytes, type] of [
      [bitmap, "image/bmp"],
      [drawing, "image/vnd.adobe.photoshop"],
    ] as const) {
      expect(await inspect(bytes, type), type)
        .to.include({ type })
        .and.not.have.property("width");
    }
    // Of a bitmap, a negative height says that its rows go from the top down.
    bitmap.writeInt32LE(5, 18);
    expect(await inspect(bitmap, "image/bmp")).to.include({ width: 5, height: 7 });
  });

  it("take linear time, however a text repeats itself", async () => {
    const hostile = ["<svg ", "<!--", "<!DOCTYPE a[", "<?", '<svg width="', " a=", "P6 #", "["];
    for (const part of hostile) {
      const bytes = Buffer.alloc(65_536, part);
      for (const start of ["", "<svg", "<?xml ?>", "P6\n"]) {
        await inspect(Buffer.concat([Buffer.from(start), bytes]), "image/svg+xml");
      }
    }
  });
});
