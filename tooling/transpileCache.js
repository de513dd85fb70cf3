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
 * @param options.compile makes `[file, { text, code, map }]` of each file, all texts, of texts by file
 * @param options.compiledWith gives `[file, text]` of what is to be compiled with a file, which costs less
 *   than one by one, if it is missing too. @default nothing
 */
exports.openTranspileCache = (folder, compiler, { compile, compiledWith = () => [] }) => {
  const name = digest(compiler).replace(/\W/g, "").slice(0, 32);
  const files = folder && {
    code: path.join(folder, `${name}.code.json`),
    maps: path.join(folder, `${name}.maps.json`),
  };
  /** Compiled by this process, which writes them when it ends. */
  const added = { code: {}, maps: {} };
  const code = files ? read(files.code) : {};
  let maps;
  let isSaved = true;

  const add = ([file, { text, code: made, map }]) => {
    const key = digest(text);
    added.code[file] = { key, code: made };
    added.maps[file] = { key, map };
    isSaved = false;
  };

  /** What was compiled of a file with this text. */
  const codeWith = (key, file) => {
    const entry = added.code[file] ?? code[file];
    return entry?.key === key && typeof entry.code === "string" ? entry.code : undefined;
  };

  return {
    /** The JavaScript of a file. */
    codeOf(text, file) {
      const key = digest(text);
      const kept = codeWith(key, file);
      if (kept !== undefined) {
        return kept;
      }
      const others = compiledWith(file).filter(
        ([name, other]) => name !== file && codeWith(digest(other), name) === undefined,
      );
      try {
        compile(new Map([[file, text], ...others])).forEach(add);
      } catch {
        // One of them has an error: if it is this one, it is thrown now.
        compile(new Map([[file, text]])).forEach(add);
      }
      if (others.length > 0) {
        // At once, for processes that start meanwhile.
        this.save();
      }
      return added.code[file].code;
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
      if (!files || isSaved) {
        return;
      }
      isSaved = true;
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
