import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { imageSize } from "image-size";
import { drawSample, HEIGHT, WIDTH } from "../scripts/drawSample";

describe("sample.jpg", () => {
  const committed = readFileSync(join(__dirname, "..", "sample.jpg"));

  it("is a JPEG whose dimensions process can read", () => {
    expect(imageSize(committed)).to.include({ type: "jpg", width: WIDTH, height: HEIGHT });
    expect(committed.subarray(-2)).to.deep.equal(Buffer.from([0xff, 0xd9]));
  });

  it("is between 30 and 80 kB", () => {
    expect(committed.length).to.be.within(30_000, 80_000);
  });

  it("is byte for byte the output of scripts/drawSample.ts", () => {
    expect(drawSample().equals(committed)).to.equal(true);
  });
});
