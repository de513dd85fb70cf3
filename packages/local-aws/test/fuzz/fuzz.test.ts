import { expect } from "chai";
import { fuzz } from "./fuzz";
import { TARGETS } from "./targets";

/** Of each target; `npm run fuzz` takes others. */
const OPTIONS = { seed: 1, from: 0, cases: 500 };

describe("Random input", () => {
  for (const target of TARGETS) {
    it(`is read or refused: ${target.name}`, () => {
      const { report, findings } = fuzz(target, OPTIONS);

      expect(findings).to.deep.equal([]);
      // Most of it gets past the first check, or the cases say little.
      expect(report.refused).to.be.lessThan(OPTIONS.cases);
    });
  }
});
