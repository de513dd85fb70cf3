// Not TypeScript: compilers for CommonJS (ts-node with `module: CommonJS`) turn import() into require(),
// which takes no URL.
"use strict";

const { pathToFileURL } = require("node:url");

/** Loads an ES module by its absolute path. */
exports.importFile = (file) => import(pathToFileURL(file).href);
