import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import * as path from "node:path";
import type { Bundle } from "../components/lambda/bundleCache";
import { PROGRAM_DIR } from "./programDir";
import { isProgramFile, stateOf, statesOf } from "./programFiles";

/** The name of the package that a file is of, the first of nested ones. */
const PACKAGE = /[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/;

/** Days that an entry is kept without being used. */
const MAX_UNUSED_DAYS = 7;

const DAY_MS = 24 * 60 * 60 * 1000;

/** One kept bundle, whose source map is a file beside it; or the kept pages. */
interface Entry {
  text: string;
  /** What each file that esbuild had read was like: size, time of change, and inode. */
  inputs: Record<string, string>;
}

/** The files of one kept bundle; pages have no map. */
export interface KeptFiles {
  file: string;
  map?: string;
}

/** @returns undefined where there is none, or a file that it was made of has changed */
export function readEntry({ file, map }: KeptFiles): Entry | undefined {
  try {
    const entry = JSON.parse(readFileSync(file, "utf8")) as Entry;
    const isSame = Object.entries(entry.inputs).every(([input, state]) => stateOf(input) === state);
    return isSame && typeof entry.text === "string" && (!map || existsSync(map))
      ? entry
      : undefined;
  } catch {
    // None, or a damaged one.
    return undefined;
  }
}

/** Keeps a used entry from being removed by its age. */
export function touch({ file, map }: KeptFiles): void {
  try {
    if (statSync(file).mtimeMs < Date.now() - DAY_MS) {
      for (const each of map ? [map, file] : [file]) {
        utimesSync(each, new Date(), new Date());
      }
    }
  } catch {
    // Another process has removed it, or the folder is read-only: the entry has served.
  }
}

/** What may decide on an import that means a file, or on how that is compiled; most are not there. */
function rivalsOf(file: string): string[] {
  const stem = file.replace(/(?:[\\/]index)?\.\w+$/, "");
  const rivals = [".tsx", ".ts", ".jsx", ".js", ".json"].map((extension) => stem + extension);
  for (let folder = path.dirname(file); folder !== PROGRAM_DIR; folder = path.dirname(folder)) {
    rivals.push(path.join(folder, "package.json"), path.join(folder, "tsconfig.json"));
    if (folder === path.dirname(folder)) {
      break;
    }
  }
  return rivals;
}

/**
 * The files that what esbuild makes depends on: those that it has read, by their true paths, and each
 * package's manifest where the program finds it, which may be a link to another place tomorrow. Of a file
 * that is not of the program's own folders, whose files are all in the key, what could change its meaning.
 */
function dependenciesOf(inputs: string[]): string[] {
  const isKnown = (file: string) => PACKAGE.test(file) || isProgramFile(file);
  const rivals = inputs.filter((file) => !isKnown(file)).flatMap(rivalsOf);
  const packages = inputs.flatMap((file) => PACKAGE.exec(file)?.[1] ?? []);
  const manifests = [...new Set(packages)].map((name) =>
    path.join(PROGRAM_DIR, "node_modules", name, "package.json"),
  );
  return [...inputs, ...manifests, ...rivals];
}

function writeAtomically(file: string, text: string): void {
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, text, { mode: 0o600 });
  renameSync(unfinished, file);
}

/** An unwritable cache folder is ignored. */
export function writeEntry(
  { file, map }: KeptFiles,
  { text, inputs, sourceMap = "{}" }: Bundle,
): void {
  const entry: Entry = {
    text,
    inputs: statesOf(dependenciesOf(inputs)),
  };
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    if (map) {
      writeAtomically(map, sourceMap);
    }
    writeAtomically(file, JSON.stringify(entry));
  } catch {
    // The next load bundles again.
  }
}

/** Removes entries that nobody has used for long. */
export function removeOldEntries(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      const file = path.join(folder, name);
      if (statSync(file).mtimeMs < Date.now() - MAX_UNUSED_DAYS * DAY_MS) {
        rmSync(file);
      }
    }
  } catch {
    // No folder, or another process removes them too.
  }
}
