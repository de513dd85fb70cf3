// What was compiled the last time, all of it in one file: a start then reads one file for the
// project's code, and another with the source maps only when a stack trace needs them.
"use strict";

const { createHash } = require("node:crypto");
const { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const path = require("node:path");

const digest = (text) => createHash("sha256").update(text).digest("base64");

/** Entries by file name; none where there is no such file, or a damaged one. */
function read(file) {
  try {
    const entries = JSON.parse(readFileSync(file, "utf8"));
    return entries !== null && typeof entries === "object" ? entries : {};
  } catch {
    return {};
  }
}

/** Writes atomically; an unwritable cache folder is ignored. */
function write(file, entries) {
  const unfinished = `${file}.${process.pid}`;
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(unfinished, JSON.stringify(entries));
    renameSync(unfinished, file);
  } catch {
    // The next process compiles again.
  }
}

/**
 * Opens the cache of one project.
 *
 * @param folder need not exist; without one, nothing is kept
 * @param compiler text that names all that the output depends on besides a file's name and text
 * @param compile makes `{ code, map }` of a file's text and name, both texts
 */
exports.openTranspileCache = (folder, compiler, compile) => {
  const name = digest(compiler).replace(/\W/g, "").slice(0, 32);
  const files = folder && {
    code: path.join(folder, `${name}.code.json`),
    maps: path.join(folder, `${name}.maps.json`),
  };
  /** Compiled by this process, which writes them when it ends. */
  const added = { code: {}, maps: {} };
  const code = files ? read(files.code) : {};
  let maps;

  return {
    /** The JavaScript of a file. */
    codeOf(text, file) {
      const key = digest(text);
      const entry = added.code[file] ?? code[file];
      if (entry?.key === key && typeof entry.code === "string") {
        return entry.code;
      }
      const made = compile(text, file);
      added.code[file] = { key, code: made.code };
      added.maps[file] = { key, map: made.map };
      return made.code;
    },
    /** The source map of a file that was compiled, as JSON text; undefined for others. */
    mapOf(file) {
      const { key } = added.code[file] ?? code[file] ?? {};
      maps ??= files ? read(files.maps) : {};
      const entry = added.maps[file] ?? maps[file];
      return key !== undefined && entry?.key === key ? entry.map : undefined;
    },
    /** Keeps what this process has compiled, beside what others have kept meanwhile. */
    save() {
      if (!files || Object.keys(added.code).length === 0) {
        return;
      }
      for (const [kind, file] of Object.entries(files)) {
        const entries = { ...read(file), ...added[kind] };
        for (const name of Object.keys(entries)) {
          if (!existsSync(name)) {
            delete entries[name];
          }
        }
        write(file, entries);
      }
    },
  };
};
