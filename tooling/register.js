// Loads TypeScript without type checks (`npm run check` has them), and turns on Node's compile cache:
// both for a fast start.
"use strict";
require("node:module").enableCompileCache?.();
require("ts-node").register({
  transpileOnly: true,
  transpiler: require.resolve("./transpiler.js"),
});
