import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { StartError } from "../startError";
import { isDiskFull } from "./diskFull";

/** Files and folders are its owner's alone: rows, objects and mails may hold anything. */
const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const OTHERS = 0o077;

/** Less would not hold an empty run. */
const PROBE_BYTES = 65_536;

/**
 * Makes the folder that keeps a run's data, or takes an earlier run's.
 *
 * @returns its absolute path
 * @throws StartError for a folder that cannot be made or written to
 */
export function openDataFolder(dir: string): string {
  if (dir === "") {
    throw new StartError("The data folder has no name.", "dataDir");
  }
  const folder = resolve(dir);
  try {
    makeFolder(folder);
    const names = readdirSync(folder);
    probe(folder);
    // A folder with other files in it may be anybody's, such as /tmp.
    if (names.length === 0 || names.includes("dynamodb")) {
      makePrivate(folder);
    }
    return folder;
  } catch (error) {
    throw unusable(folder, error);
  }
}

/** @returns the error to show where a file of the data folder is the problem; else the error itself */
export function explainDataFolder(error: unknown, folder: string | undefined): unknown {
  const { path, code } = error as NodeJS.ErrnoException;
  const isOfFolder = folder !== undefined && typeof path === "string" && path.startsWith(folder);
  return isOfFolder && code !== undefined ? unusable(folder, error) : error;
}

function unusable(folder: string, error: unknown): StartError {
  const reason = isDiskFull(error) ? "its disk is full" : (error as Error).message;
  return new StartError(`The folder ${folder} cannot be written to: ${reason}.`, "dataDir", {
    cause: error,
  });
}

/** Not by `recursive`, which never returns for a folder in /proc: mkdir answers ENOENT there. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) {
    return;
  }
  const parent = dirname(folder);
  if (parent !== folder) {
    makeFolder(parent);
  }
  mkdirSync(folder, { mode: PRIVATE_FOLDER });
}

/** Writes to the folder: its mode says little for root, a read-only disk, /proc, or a full disk. */
function probe(folder: string): void {
  const trial = join(folder, `.probe-${process.pid}`);
  mkdirSync(trial);
  try {
    writeFileSync(join(trial, "file"), Buffer.alloc(PROBE_BYTES));
  } finally {
    rmSync(trial, { recursive: true, force: true });
  }
}

/** Earlier versions made files that others could read. */
function makePrivate(path: string): void {
  const stats = lstatSync(path);
  const isFolder = stats.isDirectory();
  const isOwn = process.getuid?.() === stats.uid;
  if (!isOwn || !(isFolder || stats.isFile()) || (stats.mode & OTHERS) === 0) {
    return;
  }
  chmodSync(path, isFolder ? PRIVATE_FOLDER : PRIVATE_FILE);
  for (const name of isFolder ? readdirSync(path) : []) {
    makePrivate(join(path, name));
  }
}
