// Loads TypeScript without checking types (`npm run check` does that). What is compiled is kept
// between runs, and so is what V8 makes of it: both for a fast start.
"use strict";

const { readFileSync } = require("node:fs");
const inspector = require("node:inspector");
const Module = require("node:module");
Module.enableCompileCache?.();
require("./esbuildProcess");
const { loadLazily } = require("./lazyPackages");
const { mapStackTraces } = require("./stackTraces");
const transpiler = require("./transpiler");

/**
 * In parts: readers of source maps, such as the one in Pulumi's loader, would take the whole for this
 * file's own.
 */
const MAP_COMMENT = ["//#", "sourceMappingURL="].join(" ");

/** A debugger's own source maps are in the code; it is there before the first module. */
const isInspected = inspector.url() !== undefined;

const withSourceMap = (code, file) => {
  const map = Buffer.from(transpiler.sourceMapOf(file) ?? "{}").toString("base64");
  const end = code.lastIndexOf(`\n${MAP_COMMENT}`);
  const withoutMap = end < 0 ? code : code.slice(0, end);
  return `${withoutMap}\n${MAP_COMMENT}data:application/json;base64,${map}`;
};

Module._extensions[".ts"] = (module, file) => {
  // Through the module's object: the bench measures what it takes.
  const code = transpiler.transpile(readFileSync(file, "utf8"), file);
  module._compile(isInspected ? withSourceMap(code, file) : code, file);
};

loadLazily();
mapStackTraces(transpiler.sourceMapOf);
