// A cache of transpiled files on disk. An entry is valid while the file and the compilers are unchanged.
"use strict";

const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const path = require("node:path");

const digest = (text) => createHash("sha256").update(text).digest("hex");

/** Returns the cached output; undefined without an entry of this key. */
function read(file, key) {
  try {
    const entry = JSON.parse(readFileSync(file, "utf8"));
    return entry.key === key ? entry.output : undefined;
  } catch {
    return undefined;
  }
}

/** Writes an entry atomically, for concurrent processes. A folder that is not writable is no error. */
function write(file, entry) {
  const temporary = `${file}.${process.pid}`;
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(temporary, JSON.stringify(entry));
    renameSync(temporary, file);
  } catch {
    // The next process transpiles the file again.
  }
}

/**
 * Returns the cached output for a name and its inputs, or else calls `make` and caches its result. Only
 * the last output of each name is kept, so that the folder does not grow.
 *
 * @param folder is created when missing; undefined turns the cache off
 * @param inputs texts that the output depends on, besides the name
 * @param make returns a JSON value
 */
exports.cached = (folder, name, inputs, make) => {
  if (folder === undefined) {
    return make();
  }
  const file = path.join(folder, `${digest(name).slice(0, 32)}.json`);
  const key = digest(JSON.stringify([name, ...inputs]));
  const cachedOutput = read(file, key);
  if (cachedOutput !== undefined) {
    return cachedOutput;
  }
  const output = make();
  write(file, { key, output });
  return output;
};
