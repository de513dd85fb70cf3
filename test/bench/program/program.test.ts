import { getCompileCacheDir } from "node:module";
import * as path from "node:path";
import { expect } from "chai";
import type { ProgramTimes } from "../../../bench/program/figures";
import { measureProgram } from "../../../bench/program/program";
import { programPart } from "../../../bench/program/tables";

const TIMES: ProgramTimes = {
  bootMs: 100,
  compileMs: 200,
  importMs: { "@pulumi/aws": 300, yaml: 5 },
  serializeMs: 50,
  serializedAtMs: 800,
  packMs: 30,
  totalMs: 900,
};

describe("The bench of the program", () => {
  // The tests' own, which has most of it compiled.
  const cacheDir = path.dirname(getCompileCacheDir() ?? "");

  for (const packing of ["bundle", "codePaths"] as const) {
    it(`has every step, packed by ${packing}`, async () => {
      const times = await measureProgram(packing, cacheDir);

      expect(times.serializeMs).to.be.greaterThan(0);
      expect(times.packMs).to.be.greaterThan(0);
      expect(times.importMs).to.include.keys("@pulumi/pulumi", "@pulumi/aws");
      expect(times.totalMs).to.be.greaterThan(times.bootMs + times.compileMs);
    });
  }

  it("has steps that add up to the total", () => {
    const times = [TIMES];

    const [steps] = programPart({ warm: times, cold: times, callback: times }).sections;

    const ms = steps?.rows.map((row) => row[1]);
    expect(ms).to.deep.equal([100, 200, 305, 50, 30, 215, 900]);
  });
});
