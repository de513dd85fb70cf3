import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { imageSize } from "image-size";
import { drawSample, HEIGHT, WIDTH } from "../scripts/drawSample";

describe("sample.jpg", () => {
  const committed = readFileSync(join(__dirname, "..", "sample.jpg"));

  it("is a JPEG that the upload's processing can measure", () => {
    expect(imageSize(committed)).to.include({ type: "jpg", width: WIDTH, height: HEIGHT });
    expect(committed.subarray(-2)).to.deep.equal(Buffer.from([0xff, 0xd9]));
  });

  it("is small enough for a first upload, and no mere thumbnail", () => {
    expect(committed.length).to.be.within(30_000, 80_000);
  });

  it("is, byte for byte, what scripts/drawSample.ts draws", () => {
    expect(drawSample().equals(committed)).to.equal(true);
  });
});
