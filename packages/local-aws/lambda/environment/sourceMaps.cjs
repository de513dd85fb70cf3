// Loaded by ricClient.cjs: stacks, and the debugger, name the lines of a function's own sources. The
// package itself is as on AWS, without a word of source maps.
"use strict";

const { readFileSync } = require("node:fs");
const { registerHooks, SourceMap } = require("node:module");
const inspector = require("node:inspector");
const { fileURLToPath, pathToFileURL } = require("node:url");

/** @param {Record<string, string>} files the map's file by the path of the mapped file */
exports.mapSources = (files) => {
  if (Object.keys(files).length === 0) return;
  mapStacks(files);
  if (inspector.url() !== undefined) nameMaps(files);
};

/** V8's debugger learns of a map by the last line of the code. */
function nameMaps(files) {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const map = url.startsWith("file:") ? files[fileURLToPath(url)] : undefined;
      if (map === undefined) return loaded;
      const source = String(loaded.source ?? readFileSync(fileURLToPath(url), "utf8"));
      return { ...loaded, source: `${source}\n//# sourceMappingURL=${pathToFileURL(map).href}` };
    },
  });
}

/** A map is read when a stack first needs it. */
function mapStacks(files) {
  const maps = new Map();

  const mapOf = (file) => {
    if (!maps.has(file)) maps.set(file, readMap(files[file]));
    return maps.get(file);
  };

  const show = (site) => {
    const file = site.getFileName();
    if (!file || !Object.hasOwn(files, file)) return String(site);
    const map = mapOf(file);
    const entry = map?.findEntry(site.getLineNumber() - 1, site.getColumnNumber() - 1) ?? {};
    if (entry.originalSource === undefined) return String(site);
    // Without the function's name, which minification has replaced.
    const { originalSource, originalLine, originalColumn } = entry;
    const place = `${originalSource}:${originalLine + 1}:${originalColumn + 1}`;
    return site.isAsync() ? `async ${place}` : place;
  };

  Error.prepareStackTrace = (error, sites) =>
    headerOf(error) + sites.map((site) => `\n    at ${show(site)}`).join("");
}

/** Undefined for a map that is missing or damaged: the stack then names the package's own lines. */
function readMap(file) {
  try {
    return new SourceMap(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return undefined;
  }
}

function headerOf(error) {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    // A name or message that cannot be read.
    return "Error";
  }
}
