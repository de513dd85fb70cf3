import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import * as path from "node:path";
import { PROGRAM_DIR } from "../start/programDir";

/** What `pulumi up` and `npm start` need, besides packages. */
const PARTS = [
  "cli",
  "components",
  "config.ts",
  "console",
  "events",
  "handlers",
  "index.ts",
  "openapi.json",
  "package.json",
  "packages",
  "Pulumi.dev.yaml",
  "Pulumi.yaml",
  "runtime",
  "start",
  "store",
  "tooling",
  "tsconfig.json",
];

/**
 * Copies the program into a folder, which is made if need be; packages are links to those here.
 *
 * @param more further files and folders
 */
export function copyProgram(folder: string, more: string[] = []): void {
  for (const name of [...PARTS, ...more]) {
    cpSync(path.join(PROGRAM_DIR, name), path.join(folder, name), { recursive: true });
  }
  const packages = path.join(PROGRAM_DIR, "node_modules");
  mkdirSync(path.join(folder, "node_modules"));
  for (const name of readdirSync(packages)) {
    // Not a workspace: that is part of the copy.
    const target = name === "local-aws" ? "../packages/local-aws" : path.join(packages, name);
    symlinkSync(target, path.join(folder, "node_modules", name));
  }
}
