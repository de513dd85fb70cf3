// The transpiler of ts-node. Code that Pulumi serializes must equal the output of Pulumi's own loader, so
// TypeScript compiles it; esbuild compiles the rest, in a quarter of the time. The output is cached, since
// both take most of a start's first second.
"use strict";

const { readFileSync } = require("node:fs");
const { getCompileCacheDir } = require("node:module");
const path = require("node:path");
const { cached } = require("./transpileCache");

const ROOT = path.resolve(__dirname, "..");

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

/** Within Node's compile cache: clearing that, or turning it off, covers this one too. */
const NODE_CACHE = getCompileCacheDir?.();
const CACHE_FOLDER = NODE_CACHE && path.join(NODE_CACHE, "s3-uploader");

/** Inputs of the output, besides the file and the options. */
const COMPILERS = [
  readFileSync(__filename, "utf8"),
  ...["esbuild", "typescript"].map((name) => require(`${name}/package.json`).version),
];

const isIn = (file, parts) =>
  parts.some((part) => file === part || file.startsWith(part + path.sep));

/** Whether Pulumi may capture the file's exports, so that TypeScript has to compile it. */
function isCaptured(fileName) {
  const file = path.resolve(fileName);
  return !isIn(file, NOT_CAPTURED) || isIn(file, CAPTURED);
}
exports.isCaptured = isCaptured;

function byTypeScript(code, fileName, options) {
  const ts = require("typescript");
  const compilerOptions = { ...options, module: ts.ModuleKind.CommonJS };
  const { outputText, sourceMapText } = ts.transpileModule(code, { fileName, compilerOptions });
  return { outputText, sourceMapText };
}

function byEsbuild(code, fileName) {
  const output = require("esbuild").transformSync(code, {
    loader: "ts",
    format: "cjs",
    target: "node24",
    sourcefile: fileName,
    sourcemap: true,
  });
  return { outputText: output.code, sourceMapText: output.map };
}

/** A custom transpiler for ts-node: https://typestrong.org/ts-node/docs/transpilers */
exports.create = ({ service: { config } }) => {
  const options = JSON.stringify(config.options);
  return {
    transpile: (code, { fileName }) =>
      cached(CACHE_FOLDER, fileName, [code, options, ...COMPILERS], () =>
        isCaptured(fileName)
          ? byTypeScript(code, fileName, config.options)
          : byEsbuild(code, fileName),
      ),
  };
};
