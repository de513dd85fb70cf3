import { readFileSync } from "node:fs";
import * as path from "node:path";
import { PROGRAM_DIR } from "../start/programDir";

/**
 * The options of Node with which the script `start` of package.json runs start/main.ts, the loader of
 * TypeScript among them. Paths are relative to the program's folder.
 */
export function startNodeOptions(): string[] {
  const manifest = readFileSync(path.join(PROGRAM_DIR, "package.json"), "utf8");
  const { scripts } = JSON.parse(manifest) as { scripts: { start: string } };
  const [, options] = /^node (.+) start\/main\.ts$/.exec(scripts.start) ?? [];
  if (options === undefined) {
    throw new Error(`The script "start" has another form: ${scripts.start}`);
  }
  return options.split(" ");
}
