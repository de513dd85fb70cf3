import { expect } from "chai";
import { bytesText, secondsText, timeText } from "../../console/shared/units";

describe("numbers on the pages", () => {
  it("are bytes in units of a thousand", () => {
    const texts = [0, 999, 1000, 9950, 78_012, 999_499, 999_960, 5_368_709_120, 3e15].map(
      bytesText,
    );
    expect(texts).to.deep.equal([
      "0 bytes",
      "999 bytes",
      "1.0 kB",
      "9.9 kB",
      "78 kB",
      "999 kB",
      "1 MB",
      "5.4 GB",
      "3000 TB",
    ]);
  });

  it("are durations", () => {
    const texts = [0.4123, 9.99, 59.4, 61, 3600, 7500, 5 * 86_400].map(secondsText);
    expect(texts).to.deep.equal([
      "0.41 s",
      "9.99 s",
      "59 s",
      "1 min",
      "1 h",
      "2 h 5 min",
      "5 days",
    ]);
  });

  it("are times, where they are", () => {
    expect(timeText("yesterday")).to.equal("yesterday");
  });
});
