import type { Bundle, BundleCache, Packing } from "../components/lambda/bundleCache";
import { narrowKeyOf, type Program, readProgram } from "./bundleCache";

/** The bundles of a program that is evaluated again and again in one process. */
export interface WatchedBundles extends BundleCache {
  /** As in ProgramBundles; of the last evaluation. */
  sourceMapOf(code: string): string | undefined;
}

/** What the last evaluation has made for one Lambda. */
interface Made extends Pick<Bundle, "text" | "origin"> {
  /** Undefined where the captured values cannot be compared. */
  key: string | undefined;
  serialized: string;
}

/**
 * Serializes and bundles only what a save has changed, which is one Lambda mostly. Installed packages
 * must not change meanwhile. Nothing is written: a day has many saves.
 */
export function watchedBundles(entry: string): WatchedBundles {
  const made = new Map<string, Made>();
  const sourceMaps = new Map<string, string>();
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
      const evaluated = program;
      const key = narrowKeyOf(evaluated, factory);
      let current: Made | undefined = made.get(lambda);
      if (current?.key === undefined || current.key !== key) {
        const serialized = await packing.serialize();
        current =
          current?.serialized === serialized.text
            ? { ...current, key }
            : { key, serialized: serialized.text, ...(await bundle(serialized)) };
        made.set(lambda, current);
      }
      const { text, origin } = current;
      if (origin) {
        // Also for the same bundle: a comment moves the lines below it.
        sourceMaps.set(text, evaluated.sourceMaps().of(origin));
      }
      return text;
    },
    pagesOf: (build) => build(),
    sourceMapOf: (code) => sourceMaps.get(code),
  };
}
