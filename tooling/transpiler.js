// TypeScript to JavaScript. Code that Pulumi serializes must equal the output of Pulumi's own loader, so
// TypeScript compiles it; esbuild compiles the rest, in a quarter of the time. The output is cached, since
// both take most of a start's first second.
"use strict";

const { readFileSync } = require("node:fs");
const { getCompileCacheDir } = require("node:module");
const path = require("node:path");
const { openTranspileCache } = require("./transpileCache");

const ROOT = path.resolve(__dirname, "..");
const TSCONFIG = readFileSync(path.join(ROOT, "tsconfig.json"), "utf8");

/**
 * Files and folders without code that Pulumi captures. Any other file may be part of a Lambda, of another
 * program too. test/tooling/transpiler.test.ts compares this list with the captured files.
 */
const NOT_CAPTURED = [
  "bench",
  "chaos",
  "cli",
  "components",
  "config.ts",
  "packages",
  "scripts",
  "start",
  "test",
  "testing",
].map((name) => path.join(ROOT, name));

/** Programs within these folders. */
const CAPTURED = ["bench/naive", "packages/local-aws/test/fixtures"].map((name) =>
  path.join(ROOT, name),
);

const isIn = (file, parts) =>
  parts.some((part) => file === part || file.startsWith(part + path.sep));

/** Whether Pulumi may capture the file's exports, so that TypeScript has to compile it. */
function isCaptured(fileName) {
  const file = path.resolve(fileName);
  return !isIn(file, NOT_CAPTURED) || isIn(file, CAPTURED);
}
exports.isCaptured = isCaptured;

/** tsconfig.json's options that change the output. */
function compilerOptions(ts) {
  const { config } = ts.parseConfigFileTextToJson("tsconfig.json", TSCONFIG);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  return { ...options, noEmit: false, sourceMap: true, module: ts.ModuleKind.CommonJS };
}

/** Such as `handlers/process/process.ts:12:5: ';' expected.` */
function messageOf(ts, { file: source, start = 0, messageText }, file) {
  const { line, character } = source.getLineAndCharacterOfPosition(start);
  const name = path.relative(ROOT, file).replaceAll(path.sep, "/");
  return `${name}:${line + 1}:${character + 1}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
}

function byTypeScript(text, file) {
  const ts = require("typescript");
  const { outputText, sourceMapText, diagnostics } = ts.transpileModule(text, {
    fileName: file,
    compilerOptions: compilerOptions(ts),
    reportDiagnostics: true,
  });
  // A syntax error. TypeScript makes code of it, too, which would fail elsewhere or not at all. What
  // has no file is about options.
  const error = diagnostics.find((diagnostic) => diagnostic.file);
  if (error) {
    throw new SyntaxError(messageOf(ts, error, file));
  }
  return { code: outputText, map: sourceMapText };
}

function byEsbuild(text, file) {
  const { code, map } = require("esbuild").transformSync(text, {
    loader: "ts",
    format: "cjs",
    target: "node24",
    sourcefile: file,
    sourcemap: "external",
  });
  return { code, map };
}

/** Within Node's compile cache: clearing that, or turning it off, covers this one too. */
const nodeCache = getCompileCacheDir?.();

const cache = openTranspileCache(
  nodeCache && path.join(nodeCache, "s3-uploader"),
  JSON.stringify([
    ROOT,
    readFileSync(__filename, "utf8"),
    TSCONFIG,
    ...["esbuild", "typescript"].map((name) => require(`${name}/package.json`).version),
  ]),
  (text, file) => (isCaptured(file) ? byTypeScript(text, file) : byEsbuild(text, file)),
);
process.once("exit", () => {
  cache.save();
});

/** The JavaScript of a TypeScript file. */
exports.transpile = (text, file) => cache.codeOf(text, file);

/** The source map of a file that was transpiled, as JSON text; undefined for others. */
exports.sourceMapOf = (file) => cache.mapOf(file);
