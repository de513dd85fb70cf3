import { readFileSync } from "node:fs";
import * as path from "node:path";

/**
 * Dependencies that only the program's own packing and npm scripts use: a program with plain
 * CallbackFunctions would not have them.
 *
 * @param root the program's folder
 */
export function packingTools(root: string): string[] {
  const manifest = readFileSync(path.join(root, "package.json"), "utf8");
  const { optionalDependencies = {} } = JSON.parse(manifest) as {
    optionalDependencies?: Record<string, string>;
  };
  return ["acorn", "esbuild", ...Object.keys(optionalDependencies)];
}
