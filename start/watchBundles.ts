import * as path from "node:path";
import type { Bundle, BundleCache, Packing } from "../components/lambda/bundleCache";
import { stateOf } from "./programFiles";
import { narrowKeyOf, type Program, readProgram } from "./programKey";

/** The bundles of a program that is evaluated again and again in one process. */
export interface WatchedBundles extends BundleCache {
  /** As in ProgramBundles; of the last evaluation. */
  sourceMapOf(code: string): string | undefined;
}

/** What the last evaluation has made for one Lambda. */
interface Made {
  bundle: Bundle;
  /** Undefined where the captured values cannot be compared. */
  key: string | undefined;
  /** What the program's files in the bundle were like, before it was made. */
  inputs: Record<string, string>;
  /** All of the program's files: a new one may be what an import means now. */
  files: string;
}

function ownFiles({ inputs }: Bundle): string[] {
  return inputs.filter((file) => !file.includes(`${path.sep}node_modules${path.sep}`));
}

function isCurrent(made: Made, key: string | undefined, files: string): boolean {
  const isSame = Object.entries(made.inputs).every(([file, state]) => stateOf(file) === state);
  return key !== undefined && made.key === key && made.files === files && isSame;
}

/**
 * Serializes and bundles only what a save has changed, which is one Lambda mostly. Installed packages
 * must not change meanwhile. Nothing is written: a day has many saves.
 */
export function watchedBundles(entry: string): WatchedBundles {
  const made = new Map<string, Made>();
  let program: Program | undefined;
  let bundle: ReturnType<Packing["openBundler"]> | undefined;
  return {
    async textOf(lambda, factory, packing) {
      bundle ??= packing.openBundler();
      if (!program) {
        program = readProgram(entry);
        // The callbacks of one evaluation begin in the same event-loop tick.
        setImmediate(() => (program = undefined));
      }
      const { states } = program;
      const files = Object.keys(states).join("\n");
      const key = narrowKeyOf(program, factory);
      let current = made.get(lambda);
      if (!current || !isCurrent(current, key, files)) {
        const bundled = await bundle(await packing.serialize());
        const inputs = ownFiles(bundled).map((file) => [file, states[file] ?? stateOf(file)]);
        current = {
          bundle: bundled,
          key,
          inputs: Object.fromEntries(inputs) as Made["inputs"],
          files,
        };
        made.set(lambda, current);
      }
      return current.bundle.text;
    },
    pagesOf: (build) => build(),
    // Of the current bundles only: a day's saves would be hundreds of megabytes.
    sourceMapOf: (code) =>
      [...made.values()].find(({ bundle: { text } }) => text === code)?.bundle.sourceMap,
  };
}
