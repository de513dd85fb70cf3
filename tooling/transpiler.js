// How ts-node turns TypeScript into JavaScript here. What Pulumi serializes has to be the text that
// Pulumi's own loader would make, so callbacks are TypeScript's business; esbuild does the rest in a
// quarter of the time. Together they would take most of a start's first second: the output is kept.
"use strict";

const { readFileSync } = require("node:fs");
const { getCompileCacheDir } = require("node:module");
const path = require("node:path");
const { cached } = require("./transpileCache");

const ROOT = path.resolve(__dirname, "..");

/**
 * The rooms of which Pulumi captures nothing. Every other file may be part of a Lambda, another
 * program's included: test/tooling/transpiler.test.ts holds this list against what is captured.
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

/** Programs within those rooms. */
const CAPTURED = ["bench/naive", "packages/local-aws/test/fixtures"].map((name) =>
  path.join(ROOT, name),
);

/** Beside what Node keeps: whoever empties that, or turns it off, gets neither. */
const NODE_CACHE = getCompileCacheDir?.();
const CACHE_FOLDER = NODE_CACHE && path.join(NODE_CACHE, "s3-uploader");

/** What the output depends on, besides the file and the options. */
const COMPILERS = [
  readFileSync(__filename, "utf8"),
  ...["esbuild", "typescript"].map((name) => require(`${name}/package.json`).version),
];

const isIn = (file, parts) =>
  parts.some((part) => file === part || file.startsWith(part + path.sep));

/** Whether what the file exports may be captured, and so has to be compiled as Pulumi does it. */
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
