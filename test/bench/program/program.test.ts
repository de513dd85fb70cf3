import { getCompileCacheDir } from "node:module";
import * as path from "node:path";
import { expect } from "chai";
import type { ProgramTimes } from "../../../bench/program/figures";
import { measureProgram } from "../../../bench/program/program";
import { programPart } from "../../../bench/program/tables";

const LAMBDAS = ["notify", "process", "record", "sweep", "upload"];

const TIMES: ProgramTimes = {
  bootMs: 100,
  compileMs: 200,
  importMs: { "@pulumi/aws": 300, yaml: 5 },
  serializeMs: { upload: 40, record: 10 },
  packMs: { upload: 70, record: 60 },
  serializedAtMs: 800,
  packedAtMs: 830,
  totalMs: 900,
};

describe("The bench of the program", () => {
  // The tests' own, which has most of it compiled.
  const cacheDir = path.dirname(getCompileCacheDir() ?? "");

  for (const packing of ["bundle", "codePaths"] as const) {
    it(`has every Lambda's steps, packed by ${packing}`, async () => {
      const times = await measureProgram(packing, cacheDir);

      expect(Object.keys(times.serializeMs)).to.include.members(LAMBDAS);
      expect(Object.keys(times.packMs)).to.have.members(Object.keys(times.serializeMs));
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
