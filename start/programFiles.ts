import { readdirSync, statSync } from "node:fs";
import * as path from "node:path";
import { PROGRAM_DIR } from "./programDir";

/** Of the program's folder, what decides on a bundle besides the program's own modules. */
const PROGRAM_FILES = [
  "package.json",
  "package-lock.json",
  // What is installed, which need not be what the lockfile says.
  "node_modules/.package-lock.json",
  "tsconfig.json",
  "tooling",
  "components",
  "config.ts",
  "events",
  "handlers",
  "index.ts",
  "runtime",
  "store",
];

/** The absolute paths of a folder's files, or of the file itself. */
function filesOf(name: string): string[] {
  const file = path.join(PROGRAM_DIR, name);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) {
    return stat ? [file] : [];
  }
  return readdirSync(file, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** The files that decide on bundles, save for modules in other folders. */
export function programFiles(): string[] {
  return PROGRAM_FILES.flatMap(filesOf);
}

/** Whether it is one of them, or would be. */
export function isProgramFile(file: string): boolean {
  return PROGRAM_FILES.some((name) => {
    const place = path.join(PROGRAM_DIR, name);
    return file === place || file.startsWith(place + path.sep);
  });
}

/** What shows that a file is another one than before. */
export function stateOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.size} ${stat.mtimeMs} ${stat.ino}` : "none";
}

/** By file, what shows that it is another one than before. */
export function statesOf(files: string[]): Record<string, string> {
  return Object.fromEntries(files.map((file) => [file, stateOf(file)]));
}
