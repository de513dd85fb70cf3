import { readFileSync } from "node:fs";
import { expect } from "chai";
import { overloadRow, OVERLOADS, recoveryFrom } from "../../../bench/model/overloads";

const DOCS = readFileSync("docs/failures.md", "utf8");

describe("after an overload of hours, the sweeper", () => {
  for (const name of Object.keys(OVERLOADS)) {
    it(`fails no event that would have gone through, and delays none: ${name}`, () => {
      const { failed, drainShare, writeShare, timeShare } = recoveryFrom(name, "now");

      expect(failed, "failed without poison").to.equal(0);
      expect(drainShare, "of the spare capacity").to.be.at.least(0.8);
      expect(writeShare, "of the pipeline's writes").to.be.below(0.05);
      expect(timeShare, "of the least time").to.be.at.most(1.2);
    });
  }

  it("before turned events that only waited into failures", () => {
    const failures = Object.keys(OVERLOADS).map((name) => recoveryFrom(name, "before").failed);
    expect(failures.every((failed) => failed > 0)).to.equal(true);
  });

  it("has the figures that docs/failures.md says", () => {
    const rows = DOCS.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
    for (const name of Object.keys(OVERLOADS)) {
      for (const sweeper of ["before", "now"] as const) {
        const expected = overloadRow(name, sweeper);
        const documented = rows.find(([, first, second]) => first === name && second === sweeper);
        expect(documented?.slice(1, -1), `${name}, ${sweeper}`).to.deep.equal(expected);
      }
    }
  });
});
