import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { expect } from "chai";
import { preProcessFile } from "typescript";
import { PROGRAM_DIR } from "../../start/programDir";

interface Transpiler {
  /** Whether a file is compiled as Pulumi's own loader does it. */
  isCaptured: (fileName: string) => boolean;
  transpile: (text: string, file: string) => string;
  compile: (texts: Map<string, string>) => [string, Output][];
}

interface Output {
  text: string;
  code: string;
}

const requireModule = createRequire(__filename);

const { compile, isCaptured, transpile } = requireModule(
  "../../tooling/transpiler.js",
) as Transpiler;

/** Pulumi programs whose callbacks are serialized, each with a file that its callbacks reach. */
const PROGRAMS = {
  "index.ts": "store/eventStore.ts",
  "bench/naive/index.ts": "store/eventStore.ts",
  "packages/local-aws/test/fixtures/wordCount/index.ts":
    "packages/local-aws/test/fixtures/wordCount/index.ts",
};

/** The parts of a program that register resources: Pulumi serializes nothing of them. */
const DEPLOYMENT = /^(?:components\/|config\.ts$)/;

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(PROGRAM_DIR, file), "utf8");
  return preProcessFile(text)
    .importedFiles.filter(({ fileName }) => fileName.startsWith("."))
    .map(({ fileName }) => path.posix.join(path.posix.dirname(file), fileName))
    .map((module) => [`${module}.ts`, `${module}/index.ts`, module])
    .map((candidates) => {
      const found = candidates.find((name) => existsSync(path.join(PROGRAM_DIR, name)));
      expect(found, `${file} imports one of these files`).to.not.equal(undefined);
      return found ?? "";
    });
}

/** The file, and all files of this project that it imports, directly or through others. */
function reachableFrom(entry: string, skip: (file: string) => boolean): Set<string> {
  const reached = new Set<string>([entry]);
  for (const file of reached) {
    for (const imported of importsOf(file)) {
      if (!skip(imported)) {
        reached.add(imported);
      }
    }
  }
  return reached;
}

describe("The transpiler", () => {
  for (const [program, captured] of Object.entries(PROGRAMS)) {
    it(`compiles as Pulumi's loader does all that callbacks of ${program} can capture`, () => {
      const files = reachableFrom(program, (file) => DEPLOYMENT.test(file));
      expect([...files]).to.include.members([program, captured]);
      const missing = [...files].filter((file) => !isCaptured(path.join(PROGRAM_DIR, file)));
      expect(missing).to.deep.equal([]);
    });
  }

  it("does so with what components add to a callback: the access to its environment", () => {
    expect(importsOf("components/lambda/package.ts")).to.include("runtime/environment.ts");
    expect(isCaptured(path.join(PROGRAM_DIR, "runtime", "environment.ts"))).to.equal(true);
  });

  it("leaves to esbuild what only registers resources", () => {
    for (const file of importsOf("index.ts").filter((name) => DEPLOYMENT.test(name))) {
      expect(isCaptured(path.join(PROGRAM_DIR, file)), file).to.equal(false);
    }
  });

  for (const files of [
    ["index.ts", "store/eventStore.ts", "handlers/process/process.ts"],
    ["start/main.ts", "config.ts", "packages/local-aws/run.ts"],
  ]) {
    it(`compiles ${files[0]} and others at once as it does each`, () => {
      const texts = new Map(
        files
          .map((name) => path.join(PROGRAM_DIR, name))
          .map((file) => [file, readFileSync(file, "utf8")]),
      );
      const each = [...texts].flatMap((file) => compile(new Map([file])));

      const outputs = (made: [string, Output][]) =>
        made.map(([file, { text, code }]) => [file, text, code]);
      expect(outputs(compile(texts))).to.deep.equal(outputs(each));
    });
  }

  it("refuses code with a syntax error, and names its line", () => {
    const file = path.join(PROGRAM_DIR, "handlers", "process", "broken.ts");
    expect(() => transpile("const a = 1;\nconst b = {{ a };\n", file)).to.throw(
      SyntaxError,
      /^handlers\/process\/broken\.ts:2:\d+: \S/,
    );
  });
});
