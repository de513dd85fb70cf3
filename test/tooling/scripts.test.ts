import { readFileSync } from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { PROGRAM_DIR } from "../../start/programDir";

interface Manifest {
  scripts: Record<string, string>;
  optionalDependencies: Record<string, string>;
}

const text = readFileSync(path.join(PROGRAM_DIR, "package.json"), "utf8");
const { scripts, optionalDependencies } = JSON.parse(text) as Manifest;

describe("The scripts of package.json", () => {
  it("are commands of cmd.exe, too: programs and double quotes, joined by &&", () => {
    for (const script of Object.values(scripts)) {
      for (const command of script.split(" && ")) {
        expect(command).to.match(/^(node|npm|mocha|prettier) [^'$;|<>`\\]+$/);
      }
    }
  });

  it("have a Node.js of their own on Linux, macOS and Windows", () => {
    for (const system of ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win-x64"]) {
      const names = Object.keys(optionalDependencies).filter((name) => name.endsWith(`-${system}`));
      expect(names, system).to.have.lengthOf(1);
    }
  });
});
