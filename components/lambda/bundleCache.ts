/** A callback's bundle, and the files that esbuild has read for it. */
export interface Bundle {
  /** The source of a CommonJS module with the callback's exports. */
  text: string;
  /** Absolute paths, of packages' files included. */
  inputs: string[];
}

/** Keeps bundles between loads of the program. */
export interface BundleCache {
  /**
   * The text of a bundle that was kept, if it is the one that `make` would make; otherwise what
   * `make` makes.
   *
   * @param lambda the Lambda's name
   * @param factory what is serialized
   */
  textOf(
    lambda: string,
    factory: (...args: never[]) => unknown,
    make: () => Promise<Bundle>,
  ): Promise<string>;
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
