// Loads TypeScript without checking types (`npm run check` does that). What is compiled is kept
// between runs, and so is what V8 makes of it: both for a fast start.
"use strict";

const { readFileSync } = require("node:fs");
const Module = require("node:module");
Module.enableCompileCache?.();
require("./esbuildProcess");
const { loadLazily } = require("./lazyPackages");
const { mapStackTraces } = require("./stackTraces");
const transpiler = require("./transpiler");

Module._extensions[".ts"] = (module, file) => {
  // Through the module's object: the bench measures what it takes.
  module._compile(transpiler.transpile(readFileSync(file, "utf8"), file), file);
};

loadLazily();
mapStackTraces(transpiler.sourceMapOf);
