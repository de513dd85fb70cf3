// Stack traces that name lines of TypeScript. A source map is read when a trace needs it, and never
// for the traces that Pulumi takes of every resource and output: they cost a fifth of a preview.
"use strict";

const { SourceMap } = require("node:module");
const path = require("node:path");

const PULUMI = `${path.sep}node_modules${path.sep}@pulumi${path.sep}pulumi${path.sep}`;

/**
 * Pulumi takes a trace of each promise, which it prints only for its own developers' variable. The lines of
 * those are a tenth of a preview.
 */
function isRead(site) {
  const isOfPromise = site.getFunctionName() === "debuggablePromise";
  return !isOfPromise || process.env.PULUMI_DEBUG_PROMISE_LEAKS !== undefined;
}

function headerOf(error) {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    // A name or message that cannot be read.
    return "Error";
  }
}

/**
 * @param sourceMapOf gives a compiled file's source map as JSON text; undefined for every other file
 */
exports.mapStackTraces = (sourceMapOf) => {
  const maps = new Map();

  const mapOf = (file) => {
    if (!maps.has(file)) {
      const text = sourceMapOf(file);
      maps.set(file, text === undefined ? undefined : new SourceMap(JSON.parse(text)));
    }
    return maps.get(file);
  };

  const show = (site) => {
    const text = String(site);
    const [file, line, column] = [site.getFileName(), site.getLineNumber(), site.getColumnNumber()];
    const entry = file ? mapOf(file)?.findEntry(line - 1, column - 1) : undefined;
    return entry?.originalLine === undefined
      ? text
      : text.replace(
          `:${line}:${column}`,
          () => `:${entry.originalLine + 1}:${entry.originalColumn + 1}`,
        );
  };

  Error.prepareStackTrace = (error, sites) => {
    const isPulumis = sites[0]?.getFileName()?.includes(PULUMI) ?? false;
    if (isPulumis && !isRead(sites[0])) {
      return headerOf(error);
    }
    const lines = sites.map((site) => `\n    at ${isPulumis ? String(site) : show(site)}`);
    return headerOf(error) + lines.join("");
  };
};
