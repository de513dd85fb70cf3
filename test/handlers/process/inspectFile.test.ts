import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { inspectFile } from "../../../handlers/process/inspectFile";
import { gif, JPEG, jpegTurned, jpegWithLongHead, PDF, png, webp, ZIP } from "./mediaFiles";
import { inspect, memoryFile } from "./memoryFile";

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

const TEXT = Buffer.from("plain words\n");
const XML_PROLOG = '<?xml version="1.0"?>';
const SVG = Buffer.from(
  `${XML_PROLOG}<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"/>`,
);

describe("inspectFile", () => {
  it("finds type, size, checksum and dimensions of a photo with one read of 64 KiB", async () => {
    const file = memoryFile(JPEG, "image/jpeg", { algorithm: "CRC64NVME", value: "abc=" });

    expect(await inspectFile(file)).to.deep.equal({
      size: JPEG.length,
      type: "image/jpeg",
      checksum: "abc=",
      checksum_algorithm: "CRC64NVME",
      width: 1200,
      height: 800,
    });
    expect(file.reads).to.deep.equal([[0, 65_536]]);
  });

  const pictures: Record<string, [bytes: Buffer, width: number, height: number]> = {
    "image/png": [png(7, 5), 7, 5],
    "image/gif": [gif(300, 200), 300, 200],
    "image/webp": [webp(40, 30), 40, 30],
    "image/svg+xml": [SVG, 30, 20],
  };
  for (const [type, [bytes, width, height]] of Object.entries(pictures)) {
    it(`measures ${type}`, async () => {
      expect(await inspect(bytes, type)).to.deep.equal({
        size: bytes.length,
        type,
        checksum: sha256(bytes),
        checksum_algorithm: "SHA256",
        width,
        height,
      });
    });
  }

  it("returns the visible width and height of a rotated photo", async () => {
    expect(await inspect(jpegTurned(6), "image/jpeg")).to.include({ width: 800, height: 1200 });
    expect(await inspect(jpegTurned(5), "image/jpeg")).to.include({ width: 800, height: 1200 });
    expect(await inspect(jpegTurned(3), "image/jpeg")).to.include({ width: 1200, height: 800 });
  });

  it("reads a second part of a photo whose dimensions are further on", async () => {
    const file = memoryFile(jpegWithLongHead(), "image/jpeg");

    expect(await inspectFile(file)).to.include({ width: 1200, height: 800 });
    expect(file.reads).to.deep.equal([
      [0, 65_536],
      [100_010, 165_546],
    ]);
  });

  it("reads no second part of a complete but damaged image", async () => {
    const file = memoryFile(JPEG.subarray(0, 100), "image/jpeg");

    const result = await inspectFile(file);

    expect(result).to.include({ type: "image/jpeg" }).and.not.have.any.keys("width", "height");
    expect(file.reads).to.have.lengthOf(1);
  });

  it("reads no second part of a long file that is not an image", async () => {
    const file = memoryFile(Buffer.alloc(200_000, "text "), "text/plain");

    expect(await inspectFile(file)).to.include({ type: "text/plain", size: 200_000 });
    expect(file.reads).to.have.lengthOf(1);
  });

  it("uses the declared type of an empty file", async () => {
    expect(await inspect(Buffer.alloc(0), "text/csv")).to.deep.equal({
      size: 0,
      type: "text/csv",
      checksum: sha256(Buffer.alloc(0)),
      checksum_algorithm: "SHA256",
    });
    expect(await inspect(Buffer.alloc(0), "")).to.include({ type: "application/octet-stream" });
    expect(await inspect(Buffer.alloc(0), "image/png")).to.include({
      type: "application/octet-stream",
      declared_type: "image/png",
    });
  });

  it("never fails, for any bytes and declared type", async () => {
    const heads = [JPEG, png(2, 2), gif(2, 2), webp(2, 2), ZIP, PDF, SVG].map((bytes) =>
      bytes.subarray(0, 64),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...heads, Buffer.alloc(0)),
        fc.nat({ max: 64 }),
        fc.uint8Array({ maxLength: 200 }),
        fc.oneof(fc.string(), fc.constantFrom("image/jpeg", "application/zip", "constructor")),
        async (head, length, tail, contentType) => {
          const bytes = Buffer.concat([head.subarray(0, length), tail]);
          const result = await inspect(bytes, contentType);
          expect(result.size).to.equal(bytes.length);
          expect(result.type).to.be.a("string").and.not.equal("");
        },
      ),
      { numRuns: 150 },
    );
  });

  it("recognises a ZIP file that is longer than the part read", async () => {
    const long = Buffer.concat([ZIP.subarray(0, -1), Buffer.alloc(200_000)]);
    long.writeUInt32LE(200_000, 18);
    expect(await inspect(long, "application/zip")).to.include({ type: "application/zip" });
  });
});

describe("the declared type", () => {
  const agreeing: [what: string, bytes: Buffer, declared: string, type: string][] = [
    ["nothing said", PDF, "", "application/pdf"],
    ["S3's own default", PDF, "binary/octet-stream", "application/pdf"],
    ["curl's default for data", PDF, "application/x-www-form-urlencoded", "application/pdf"],
    ["bytes of any kind", PDF, "application/octet-stream", "application/pdf"],
    ["the same in capitals and with a parameter", PDF, "Application/PDF; v=1", "application/pdf"],
    ["another name of the same", JPEG, "image/jpg", "image/jpeg"],
    ["another name of the same", ZIP, "application/x-zip-compressed", "application/zip"],
    ["another name of the same", Buffer.from(XML_PROLOG), "text/xml", "application/xml"],
    ["a text, which nothing marks as one", TEXT, "text/plain; charset=utf-8", "text/plain"],
    ["a format that has no mark", TEXT, "application/json", "application/json"],
    ["a format inside a ZIP file", ZIP, "application/vnd.x", "application/vnd.x"],
    ["a format inside a ZIP file", ZIP, "application/java-archive", "application/java-archive"],
    [
      "a vocabulary of XML",
      Buffer.from(XML_PROLOG),
      "application/atom+xml",
      "application/atom+xml",
    ],
  ];
  for (const [what, bytes, declared, type] of agreeing) {
    it(`is not contradicted when it is ${what}: ${declared || "(none)"}`, async () => {
      const result = await inspect(bytes, declared);
      expect(result).to.include({ type });
      expect(result).to.not.have.property("declared_type");
    });
  }

  const contradicted: [bytes: Buffer, declared: string, type: string, reported: string][] = [
    [PDF, "image/jpeg", "application/pdf", "image/jpeg"],
    [PDF, "image/jpg", "application/pdf", "image/jpeg"],
    [png(2, 2), "image/jpeg", "image/png", "image/jpeg"],
    [JPEG, "text/plain", "image/jpeg", "text/plain"],
    [ZIP, "application/pdf", "application/zip", "application/pdf"],
    [TEXT, "image/png", "text/plain", "image/png"],
    [TEXT, "application/zip", "text/plain", "application/zip"],
  ];
  for (const [bytes, declared, type, reported] of contradicted) {
    it(`${declared} is reported besides ${type} when the bytes contradict it`, async () => {
      expect(await inspect(bytes, declared)).to.include({ type, declared_type: reported });
    });
  }
});

describe("the checksum", () => {
  const fromUpload = { algorithm: "SHA256", value: sha256(TEXT), fromUpload: true };
  const fromS3 = { algorithm: "CRC64NVME", value: "Ys5Fkk2b0Kk=" };

  it("is the upload API's where there is one", async () => {
    expect(await inspectFile(memoryFile(TEXT, "text/plain", fromUpload))).to.include({
      checksum: sha256(TEXT),
      checksum_algorithm: "SHA256",
    });
  });

  it("is computed for a small file that was put directly into the bucket", async () => {
    expect(await inspectFile(memoryFile(TEXT, "text/plain", fromS3))).to.include({
      checksum: sha256(TEXT),
      checksum_algorithm: "SHA256",
    });
  });

  it("is S3's for a file longer than the part read", async () => {
    const long = Buffer.alloc(65_537, "x");
    expect(await inspectFile(memoryFile(long, "text/plain", fromS3))).to.include({
      checksum: fromS3.value,
      checksum_algorithm: "CRC64NVME",
    });
  });

  it("is omitted when it is unknown", async () => {
    const result = await inspectFile(memoryFile(Buffer.alloc(65_537, "x"), "text/plain"));
    expect(result.checksum).to.equal(undefined);
    expect(result.checksum_algorithm).to.equal(undefined);
  });
});
