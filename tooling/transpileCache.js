// What was made of a file the last time: it is made anew only when the file, or what makes it, has
// changed.
"use strict";

const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const path = require("node:path");

const digest = (text) => createHash("sha256").update(text).digest("hex");

/** Undefined when there is none, or none of this key. */
function read(file, key) {
  try {
    const entry = JSON.parse(readFileSync(file, "utf8"));
    return entry.key === key ? entry.output : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, whoever else reads or writes it. A folder that takes nothing is no harm. */
function write(file, entry) {
  const unfinished = `${file}.${process.pid}`;
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(unfinished, JSON.stringify(entry));
    renameSync(unfinished, file);
  } catch {
    // The next process makes it again.
  }
}

/**
 * The output for a name: as it was kept for the same inputs, or else from `make`. Of each name the
 * last output is kept, so that the folder does not grow.
 *
 * @param folder need not exist; without one, nothing is kept
 * @param inputs texts that the output depends on, besides the name
 * @param make returns what JSON can keep
 */
exports.cached = (folder, name, inputs, make) => {
  if (folder === undefined) {
    return make();
  }
  const file = path.join(folder, `${digest(name).slice(0, 32)}.json`);
  const key = digest(JSON.stringify([name, ...inputs]));
  const kept = read(file, key);
  if (kept !== undefined) {
    return kept;
  }
  const output = make();
  write(file, { key, output });
  return output;
};
