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

  it("are declared in Pulumi.yaml with the defaults of config.ts", () => {
    const defaults = Object.entries(declared).map(([name, setting]) => [name, setting.default]);
    expect(Object.fromEntries(defaults)).to.deep.equal(DEFAULTS);
  });

  it("are set in Pulumi.dev.yaml only where they differ from the defaults; so is the region", () => {
    const { config } = readYaml("Pulumi.dev.yaml") as { config: Record<string, unknown> };
    const { "aws:region": region, ...settings } = config;
    expect(region).to.be.a("string");
    for (const [fullName, value] of Object.entries(settings)) {
      const name = fullName.replace("s3-uploader:", "");
      expect(declared).to.have.property(name);
      expect(String(value), fullName).to.not.equal(String(declared[name]?.default));
    }
  });
});
