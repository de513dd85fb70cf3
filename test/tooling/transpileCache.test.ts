import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";

type Make = () => { outputText: string };

const { cached } = createRequire(__filename)("../../tooling/transpileCache.js") as {
  cached: (folder: string | undefined, name: string, inputs: string[], make: Make) => unknown;
};

describe("The cache of transpiled files", () => {
  let parent: string;
  let folder: string;

  beforeEach(() => {
    parent = mkdtempSync(path.join(tmpdir(), "transpile-cache-"));
    folder = path.join(parent, "not", "there");
  });

  afterEach(() => {
    rmSync(parent, { recursive: true });
  });

  /** The output, and whether it was made again. */
  function look(name: string, inputs: string[], outputText = "made", into?: string) {
    let made = false;
    const output = cached(into ?? folder, name, inputs, () => {
      made = true;
      return { outputText };
    });
    return { output, made };
  }

  function keptFiles(): string[] {
    return readdirSync(folder).map((file) => path.join(folder, file));
  }

  it("returns the first output", () => {
    const first = look("a.ts", ["code"], "first");
    const second = look("a.ts", ["code"], "second");

    expect(first).to.deep.equal({ output: { outputText: "first" }, made: true });
    expect(second).to.deep.equal({ output: { outputText: "first" }, made: false });
  });

  it("misses after a change of the file or of the compiler", () => {
    look("a.ts", ["code", "compiler 1"]);

    expect(look("a.ts", ["other code", "compiler 1"]).made).to.equal(true);
    expect(look("a.ts", ["other code", "compiler 2"]).made).to.equal(true);
    // The same characters, divided differently.
    expect(look("a.ts", ["other codecompiler", " 2"]).made).to.equal(true);
  });

  it("misses for another file with the same text", () => {
    look("a.ts", ["code"]);

    expect(look("b.ts", ["code"]).made).to.equal(true);
  });

  it("keeps one entry for each file", () => {
    for (const code of ["1", "2", "3"]) {
      look("a.ts", [code]);
    }

    expect(keptFiles()).to.have.length(1);
  });

  it("replaces a damaged entry", () => {
    for (const damage of ["", "{", "null", "[]"]) {
      look("a.ts", ["code"]);
      for (const file of keptFiles()) {
        writeFileSync(file, damage);
      }

      const { output, made } = look("a.ts", ["code"], "again");

      expect({ output, made }, damage).to.deep.equal({
        output: { outputText: "again" },
        made: true,
      });
    }
  });

  it("keeps nothing without a folder", () => {
    const file = path.join(parent, "file");
    writeFileSync(file, "no folder");

    for (let repetition = 0; repetition < 2; repetition += 1) {
      expect(look("a.ts", ["code"], "made", path.join(file, "below")).made).to.equal(true);
      expect(cached(undefined, "a.ts", [], () => ({ outputText: "made" }))).to.deep.equal({
        outputText: "made",
      });
    }
  });
});
