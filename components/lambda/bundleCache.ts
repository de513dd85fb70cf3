/** A callback's bundle, and the files that esbuild has read for it. */
export interface Bundle {
  /** The source of a CommonJS module with the callback's exports. */
  text: string;
  /** Absolute paths, of packages' files included. */
  inputs: string[];
  /** Where the text comes from; only where it was asked for. */
  origin?: Origin;
}

/** The origin of a bundle's text in the callback's module. */
export interface Origin {
  /** A source map as JSON; the source of the module is `callback:0.js`, or with another number. */
  map: string;
  callback: SerializedCallback;
}

/** A callback as Pulumi serialized it, as an ES module that exports `handler`. */
export interface SerializedCallback {
  text: string;
  /** In the order of the text. */
  functions: CapturedFunction[];
}

/** A captured function in a callback's module. */
export interface CapturedFunction {
  /** As Pulumi serialized it. */
  code: string;
  /** Offsets in the module's text. */
  start: number;
  end: number;
  /** In order: what is at an offset of the module's text comes from an offset of the code. */
  pieces: { at: number; from: number }[];
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
  /** @param options.withOrigin the bundle has its origin, too */
  bundle(
    callback: SerializedCallback | Promise<SerializedCallback>,
    options: { withOrigin: boolean },
  ): Promise<Bundle>;
  /** Opens a bundler, of bundles with their origin, that reads packages only once. */
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
