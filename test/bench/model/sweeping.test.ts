import { readFileSync } from "node:fs";
import { expect } from "chai";
import { sweepRow, SWEEPS } from "../../../bench/scale/scale";

const DOCS = readFileSync("docs/failures.md", "utf8");

describe("a run of the sweeper, with DynamoDB's limits", () => {
  it("redelivers 16,000 stuck rows a minute, and has the figures that docs/failures.md says", async () => {
    const figures: string[][] = [];
    for (const sweep of SWEEPS) {
      figures.push(await sweepRow(sweep));
    }

    const [, , perMinute = ""] = figures[0] ?? [];
    expect(Number(perMinute.replace(",", ""))).to.be.at.least(16_000);
    const documented = DOCS.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
    expect(documented.map((cells) => cells.slice(1, -1))).to.include.deep.members(figures);
  });
});
