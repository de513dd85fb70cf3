import { readFileSync } from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { parse as parseYaml } from "yaml";
import { DEFAULTS } from "../../config";
import { PROGRAM_DIR } from "../../start/programDir";

function readYaml(fileName: string): unknown {
  return parseYaml(readFileSync(path.join(PROGRAM_DIR, fileName), "utf8"));
}

describe("The stack's settings", () => {
  const declared = (readYaml("Pulumi.yaml") as { config: Record<string, { default: unknown }> })
    .config;

  it("are declared in Pulumi.yaml with the defaults that config.ts has", () => {
    const defaults = Object.entries(declared).map(([name, setting]) => [name, setting.default]);
    expect(Object.fromEntries(defaults)).to.deep.equal(DEFAULTS);
  });

  it("are all set in Pulumi.dev.yaml, and the region with them", () => {
    const { config } = readYaml("Pulumi.dev.yaml") as { config: Record<string, string> };
    expect(Object.keys(config)).to.have.members([
      "aws:region",
      ...Object.keys(declared).map((name) => `s3-uploader:${name}`),
    ]);
  });
});
