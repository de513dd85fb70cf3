import { createHash } from "node:crypto";
import * as path from "node:path";
import { cacheFolder } from "../cli/cacheFolder";
import type { Bundle, BundleCache, Packing, Pages } from "../components/lambda/bundleCache";
import { readEntry, removeOldEntries, touch, writeEntry } from "./keptFiles";
import { PROGRAM_DIR } from "./programDir";
import { keyOf, type Program, readProgram } from "./programKey";

/** The cache of a program's bundles, and their source maps. */
export interface ProgramBundles extends BundleCache {
  /**
   * The source map of a bundle that this cache has given: JSON, or a file of it.
   *
   * @param code the bundle's text
   */
  sourceMapOf(code: string): string | { path: string } | undefined;
}

/**
 * Opens the cache of bundled Lambda code: serializing and bundling the callbacks is most of a load of
 * the program. Never for a deployment.
 *
 * An entry is used only for the same program (all its sources, its lockfile and installed packages,
 * Node's version), the same Lambda and captured values, and while every file that esbuild had read is
 * as it was. A callback whose captured values cannot be compared is bundled in each load.
 *
 * @param options.folder @default s3-uploader/bundles in the user's cache folder
 * @param options.entry absolute path of the program's first module @default index.ts
 */
export function openBundleCache({
  folder = cacheFolder("bundles"),
  entry = path.join(PROGRAM_DIR, "index.ts"),
}: { folder?: string; entry?: string } = {}): ProgramBundles {
  let program: Program | undefined;
  const sourceMaps = new Map<string, string | { path: string }>();

  async function make(packing: Packing): Promise<Bundle> {
    const made = await packing.bundle(packing.serialize(), { withSourceMap: true });
    if (made.sourceMap !== undefined) {
      sourceMaps.set(made.text, made.sourceMap);
    }
    return made;
  }

  /** The callbacks of one load run in the same event-loop tick. */
  function loadedProgram(): Program {
    if (!program) {
      program = readProgram(entry);
      setImmediate(() => (program = undefined));
    }
    return program;
  }

  return {
    async textOf(lambda, factory, packing) {
      const loaded = loadedProgram();
      const name = keyOf(loaded, lambda, factory);
      if (name === undefined) {
        return (await make(packing)).text;
      }
      const place = path.join(folder, name);
      const files = { file: `${place}.json`, map: `${place}.map` };
      const kept = readEntry(files);
      if (kept) {
        touch(files);
        sourceMaps.set(kept.text, { path: files.map });
        return kept.text;
      }
      const made = await make(packing);
      writeEntry(files, made);
      removeOldEntries(folder);
      return made.text;
    },
    async pagesOf(build) {
      const name = createHash("sha256").update(`pages ${loadedProgram().key}`).digest("hex");
      const files = { file: path.join(folder, `${name}.json`) };
      const kept = readEntry(files);
      if (kept) {
        touch(files);
        return { texts: JSON.parse(kept.text) as Pages["texts"], inputs: [] };
      }
      const pages = await build();
      writeEntry(files, { text: JSON.stringify(pages.texts), inputs: pages.inputs });
      return pages;
    },
    sourceMapOf: (code) => sourceMaps.get(code),
  };
}
