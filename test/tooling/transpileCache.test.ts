import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";

interface TranspileCache {
  codeOf(text: string, file: string): string;
  mapOf(file: string): string | undefined;
  save(): void;
}

const requireModule = createRequire(__filename);

const { openTranspileCache } = requireModule("../../tooling/transpileCache.js") as {
  openTranspileCache: (
    folder: string | undefined,
    compiler: string,
    compilers: {
      compile: (texts: Map<string, string>) => [string, Output][];
      compiledWith?: (file: string) => [string, string][];
    },
  ) => TranspileCache;
};

interface Output {
  text: string;
  code: string;
  map: string;
}

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

  /** A file that exists: what is gone is not kept. */
  function file(name: string): string {
    const place = path.join(parent, name);
    writeFileSync(place, "");
    return place;
  }

  /** The same output for each file. */
  function each(texts: Map<string, string>, code: string): [string, Output][] {
    return [...texts].map(([name, text]) => [name, { text, code, map: `map of ${code}` }]);
  }

  /** What a process gets for a file, and whether it had to compile. */
  function look(name: string, text: string, code = "made", compiler = "1", into = folder) {
    let compiled = false;
    const compile = (texts: Map<string, string>) => {
      compiled = true;
      return each(texts, code);
    };
    const cache = openTranspileCache(into, compiler, { compile });
    const output = { code: cache.codeOf(text, name), map: cache.mapOf(name) };
    cache.save();
    return { ...output, compiled };
  }

  function keptFiles(): string[] {
    return readdirSync(folder).map((name) => path.join(folder, name));
  }

  it("keeps the first output, and its source map", () => {
    const a = file("a.ts");

    expect(look(a, "text", "first")).to.deep.equal({
      code: "first",
      map: "map of first",
      compiled: true,
    });
    expect(look(a, "text", "second")).to.deep.equal({
      code: "first",
      map: "map of first",
      compiled: false,
    });
  });

  it("compiles again after a change of the file or the compiler", () => {
    const a = file("a.ts");
    look(a, "text");

    expect(look(a, "other text", "other").code).to.equal("other");
    expect(look(a, "other text", "by 2", "2").code).to.equal("by 2");
  });

  it("does not take the output of another file with the same text", () => {
    look(file("a.ts"), "text");

    expect(look(file("b.ts"), "text").compiled).to.equal(true);
  });

  it("keeps what several processes have compiled, each file once, and no file that is gone", () => {
    const [a, b] = [file("a.ts"), file("b.ts")];
    look(a, "1");
    look(a, "2");
    look(b, "3");

    expect(look(a, "2").compiled).to.equal(false);
    expect(look(b, "3").compiled).to.equal(false);
    expect(keptFiles()).to.have.lengthOf(2);
    rmSync(a);
    look(file("c.ts"), "4");
    writeFileSync(a, "");
    expect(look(a, "2").compiled).to.equal(true);
  });

  it("compiles again after damage to its files", () => {
    const a = file("a.ts");
    for (const damage of ["", "{", "null", "[]", '{"x":1}']) {
      look(a, "text");
      for (const kept of keptFiles()) {
        writeFileSync(kept, damage);
      }

      expect(look(a, "text", "again"), damage).to.deep.equal({
        code: "again",
        map: "map of again",
        compiled: true,
      });
    }
  });

  it("compiles each time without a folder that it can write to", () => {
    const a = file("a.ts");
    for (let repetition = 0; repetition < 2; repetition += 1) {
      expect(look(a, "text", "made", "1", path.join(a, "below")).compiled).to.equal(true);
    }
    const cache = openTranspileCache(undefined, "1", { compile: (texts) => each(texts, "made") });
    expect(cache.codeOf("text", a)).to.equal("made");
    expect(cache.mapOf(a)).to.equal("map of made");
  });

  it("compiles at once what is missing, and keeps it for processes that start meanwhile", () => {
    const [a, b, c] = [file("a.ts"), file("b.ts"), file("c.ts")];
    const compiled: string[][] = [];
    const load = (texts: Record<string, string>): void => {
      const cache = openTranspileCache(folder, "1", {
        compile(missing) {
          compiled.push([...missing.values()]);
          if ([...missing.values()].includes("{")) {
            throw new SyntaxError("A } is missing.");
          }
          return each(missing, "made");
        },
        compiledWith: () => Object.entries(texts),
      });
      const [[name, text] = ["", ""]] = Object.entries(texts);
      cache.codeOf(text, name);
    };

    load({ [a]: "1", [b]: "2", [c]: "3" });
    load({ [a]: "1", [b]: "2", [c]: "3" });
    load({ [b]: "4", [a]: "5", [c]: "3" });
    expect(compiled.splice(0)).to.deep.equal([
      ["1", "2", "3"],
      ["4", "5"],
    ]);
    // The error of another file is that of its own load.
    load({ [a]: "6", [b]: "{" });
    expect(compiled).to.deep.equal([["6", "{"], ["6"]]);
    expect(() => {
      load({ [b]: "{" });
    }).to.throw(SyntaxError);
  });
});
