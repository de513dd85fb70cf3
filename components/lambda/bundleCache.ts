/** A callback's bundle, and the files that esbuild has read for it. */
export interface Bundle {
  /** The source of a CommonJS module with the callback's exports. */
  text: string;
  /** Absolute paths, of packages' files included. */
  inputs: string[];
  /** As JSON; only where it was asked for. */
  sourceMap?: string;
}

/** A callback as Pulumi serialized it. */
export interface SerializedCallback {
  /** A CommonJS module of a function that takes the imported modules, as a list, and returns the handler. */
  text: string;
  /** That the callback imports. */
  modules: ImportedModule[];
  /** The folder that these are resolved from; undefined where there are none. */
  folder: string | undefined;
}

export interface ImportedModule {
  specifier: string;
  /** The exports that are used; undefined: all. */
  names: string[] | undefined;
}

/** Built pages, and the files that they were built of (components/lambda/pages.ts). */
export interface Pages {
  /** By the page's name, the text of the file that a Lambda reads it from. */
  texts: Record<string, string>;
  /** Absolute paths, of packages' files included. */
  inputs: string[];
}

/** The steps from a callback to its bundle. */
export interface Packing {
  serialize(): Promise<SerializedCallback>;
  /** @param options.withSourceMap the bundle has its source map, too */
  bundle(
    callback: SerializedCallback | Promise<SerializedCallback>,
    options: { withSourceMap: boolean },
  ): Promise<Bundle>;
  /** Opens a bundler, of bundles with their source maps, that reads packages only once. */
  openBundler(): (callback: SerializedCallback) => Promise<Bundle>;
}

/** Keeps bundles and pages between loads of the program. */
export interface BundleCache {
  /**
   * The text of a bundle that was kept, if it is the one that the packing would make; otherwise what
   * it makes.
   *
   * @param lambda the Lambda's name
   * @param factory what is serialized
   */
  textOf(lambda: string, factory: (...args: never[]) => unknown, packing: Packing): Promise<string>;
  /** The pages that were kept, if they are what `build` would make; otherwise what it makes. */
  pagesOf(build: () => Promise<Pages>): Promise<Pages>;
}

const CACHE = Symbol.for("s3-uploader.bundleCache");

/**
 * The cache to use while the program is loaded. A deployment has none: only the local run and the
 * tests set one (start/bundleCache.ts), and reloaded modules find it.
 */
export function currentBundleCache(): BundleCache | undefined {
  return (globalThis as { [CACHE]?: BundleCache })[CACHE];
}

/** @param cache undefined: none from now on */
export function setBundleCache(cache: BundleCache | undefined): void {
  (globalThis as { [CACHE]?: BundleCache })[CACHE] = cache;
}
