import { expect } from "chai";
import {
  parseBytes,
  parseDuration,
  parseFileMetadata,
  parseMetadata,
  parseTypes,
} from "../../cli/linkArguments";

describe("the options of links", () => {
  const durations: [string, number][] = [
    ["7d", 604_800],
    ["12h", 43_200],
    ["90m", 5400],
    ["3600", 3600],
    ["3600s", 3600],
    ["1D12h", 129_600],
  ];
  for (const [text, seconds] of durations) {
    it(`take the time ${text}`, () => {
      expect(parseDuration(text)).to.equal(seconds);
    });
  }

  for (const text of ["", "d", "7 days", "7w", "-1d", "1.5d", "1d2", "1e3"]) {
    it(`refuse the time "${text}"`, () => {
      expect(() => parseDuration(text)).to.throw(/7d, 12h or 1d12h/);
    });
  }

  const sizes: [string, number][] = [
    ["5GB", 5_000_000_000],
    ["200MiB", 209_715_200],
    ["200 mib", 209_715_200],
    ["1.5TB", 1_500_000_000_000],
    ["1kB", 1000],
    ["17", 17],
    ["17B", 17],
  ];
  for (const [text, bytes] of sizes) {
    it(`take the size ${text}`, () => {
      expect(parseBytes(text)).to.equal(bytes);
    });
  }

  for (const text of ["", "0", "5G", "GB", "-5GB", "5,5GB", "5GBit", "99999999TB", "0.1"]) {
    it(`refuse the size "${text}"`, () => {
      expect(() => parseBytes(text)).to.throw(/5GB, 1\.5TB or 200MiB/);
    });
  }

  it("take types separated by commas, and more of them", () => {
    expect(parseTypes("image/png", parseTypes("a/b, c/d"))).to.deep.equal([
      "a/b",
      "c/d",
      "image/png",
    ]);
    expect(() => parseTypes("a/b,,c/d")).to.throw(/separated by commas/);
  });

  it("take entries of metadata one by one", () => {
    const one = parseMetadata("customer=a=b");
    expect(parseMetadata("order-no=47 11", one)).to.deep.equal({
      customer: "a=b",
      "order-no": "47 11",
    });
    expect(parseMetadata("type=invoice")).to.deep.equal({ type: "invoice" });
  });

  const refused: [string, RegExp][] = [
    ["customer", /written like customer=4711/],
    ["customer=", /is empty/],
    ["Customer=1", /is no name/],
    ["order=2", /given twice/],
  ];
  for (const [text, message] of refused) {
    it(`refuse the entry "${text}"`, () => {
      expect(() => parseMetadata(text, { order: "1" })).to.throw(message);
    });
  }

  it("refuse for files what the file itself has", () => {
    expect(() => parseFileMetadata("size=12")).to.throw(/what the file itself has/);
    expect(parseFileMetadata("order=2")).to.deep.equal({ order: "2" });
  });
});
