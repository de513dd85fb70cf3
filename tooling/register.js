// Loads TypeScript without checking types (`npm run check` does that), and keeps the compiled form
// of packages between runs: both for a fast start.
"use strict";
require("node:module").enableCompileCache?.();
require("ts-node").register({
  transpileOnly: true,
  transpiler: require.resolve("./transpiler.js"),
});
