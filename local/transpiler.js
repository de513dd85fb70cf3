// How ts-node turns TypeScript into JavaScript here. What Pulumi serializes has to be the text that
// Pulumi's own loader would make, so callbacks are TypeScript's business; esbuild does the rest in a
// quarter of the time.
"use strict";

const path = require("node:path");
const esbuild = require("esbuild");
const ts = require("typescript");

const ROOT = path.resolve(__dirname, "..");
const SERIALIZED = ["index.ts", "handlers", "events"].map((name) => path.join(ROOT, name));

function isSerialized(fileName) {
  const file = path.resolve(fileName);
  return SERIALIZED.some((part) => file === part || file.startsWith(part + path.sep));
}

/** A custom transpiler for ts-node: https://typestrong.org/ts-node/docs/transpilers */
exports.create = ({ service: { config } }) => ({
  transpile(code, { fileName }) {
    if (isSerialized(fileName)) {
      const compilerOptions = { ...config.options, module: ts.ModuleKind.CommonJS };
      return ts.transpileModule(code, { fileName, compilerOptions });
    }
    const output = esbuild.transformSync(code, {
      loader: "ts",
      format: "cjs",
      target: "node24",
      sourcefile: fileName,
      sourcemap: true,
    });
    return { outputText: output.code, sourceMapText: output.map };
  },
});
