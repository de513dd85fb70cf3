// Packages that Pulumi loads with its first line and needs only for what this program never does.
"use strict";

const Module = require("node:module");

/**
 * By name, the export that is loaded when it is first read. Arborist reads a tree of installed
 * packages, for a CallbackFunction that includes them; loading it takes a tenth of a preview.
 */
const LAZY = { "@npmcli/arborist": "Arborist" };

exports.loadLazily = () => {
  const load = Module._load;
  Module._load = (request, parent, ...rest) => {
    const name = Object.hasOwn(LAZY, request) ? LAZY[request] : undefined;
    if (name === undefined) {
      return load(request, parent, ...rest);
    }
    return {
      __esModule: true,
      get [name]() {
        return load(request, parent, ...rest)[name];
      },
    };
  };
};
