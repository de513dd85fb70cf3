import type { BundleCache, Origin } from "../components/lambda/bundleCache";
import { capturedFiles } from "./bundleCache";
import { openSourceMaps, type SourceMaps } from "./sourceMap";

/** The bundles of a program that is evaluated again and again in one process. */
export interface WatchedBundles extends BundleCache {
  /** As in ProgramBundles; of the last evaluation. */
  sourceMapOf(code: string): string | undefined;
}

/**
 * Bundles only what has changed: most saves change one Lambda, and equal serialized texts have equal
 * bundles. Installed packages must not change meanwhile. Nothing is written: a day has many saves.
 */
export function watchedBundles(entry: string): WatchedBundles {
  /** By the serialized text, of the last evaluation of each Lambda. */
  const bundles = new Map<string, { serialized: string; text: string; origin: Origin | undefined }>();
  const sourceMaps = new Map<string, string>();
  let maps: SourceMaps | undefined;
  return {
    async textOf(lambda, _factory, packing) {
      if (!maps) {
        sourceMaps.clear();
        maps = openSourceMaps(capturedFiles(entry));
        // The callbacks of one evaluation begin in the same event-loop tick.
        setImmediate(() => (maps = undefined));
      }
      const evaluated = maps;
      const serialized = await packing.serialize();
      let bundle = bundles.get(lambda);
      if (bundle?.serialized !== serialized) {
        const { text, origin } = await packing.bundle(serialized, { withOrigin: true });
        bundle = { serialized, text, origin };
        bundles.set(lambda, bundle);
      }
      if (bundle.origin) {
        // Also for an unchanged bundle: a comment moves the lines below it.
        sourceMaps.set(bundle.text, evaluated.of(bundle.origin));
      }
      return bundle.text;
    },
    sourceMapOf: (code) => sourceMaps.get(code),
  };
}
