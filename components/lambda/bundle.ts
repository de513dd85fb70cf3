import * as path from "node:path";
import * as esbuild from "esbuild";
import type { Bundle, SerializedCallback } from "./bundleCache";
import { leanPackages } from "./leanPackages";

/** The folder whose `node_modules` has the packages. */
const PROGRAM_ROOT = path.resolve(__dirname, "..", "..");

/**
 * Lambda's runtime starts Node with `--expose-gc`, with which Node compiles its own modules anew: the
 * code that it contains was compiled without. Modules that load after this line are loaded compiled,
 * which saves about a tenth of a start's CPU time. A `gc` that exists already remains.
 */
const FIRST_LINE = 'require("node:v8").setFlagsFromString("--no-expose-gc");';

/** Resolves `callback:1.js` to the module of the second callback. */
function servedModules(callbacks: SerializedCallback[]): esbuild.Plugin {
  return {
    name: "callback",
    setup(build) {
      build.onResolve({ filter: /^callback:/ }, ({ path: specifier }) => ({
        path: specifier.slice("callback:".length),
        namespace: "callback",
      }));
      build.onLoad({ filter: /.*/, namespace: "callback" }, ({ path: name }) => ({
        contents: callbacks[Number.parseInt(name, 10)]?.text,
        resolveDir: PROGRAM_ROOT,
      }));
    },
  };
}

/** For as many bundles as there are callbacks, named by their index. */
function optionsFor(callbacks: SerializedCallback[], withOrigin: boolean) {
  return {
    entryPoints: callbacks.map((_parts, index) => ({
      in: `callback:${index}.js`,
      out: String(index),
    })),
    plugins: [servedModules(callbacks), leanPackages()],
    // Neither messages nor bytes may depend on the program's folder.
    absWorkingDir: PROGRAM_ROOT,
    bundle: true,
    write: false,
    metafile: true,
    // Beside the code, which is the same without.
    sourcemap: withOrigin && "external",
    sourcesContent: false,
    outdir: PROGRAM_ROOT,
    minify: true,
    platform: "node",
    target: "node24",
    // For an `import()` of its own module, Node reads all exports. Of node:http, which the SDK
    // imports so for an endpoint without HTTPS, one export loads a WebSocket client.
    supported: { "dynamic-import": false },
    format: "cjs",
    banner: { js: FIRST_LINE },
    mainFields: ["module", "main"],
    charset: "utf8",
    legalComments: "none",
    logLevel: "silent",
  } as const satisfies esbuild.BuildOptions;
}

type Options = ReturnType<typeof optionsFor>;

function bundlesOf(
  callbacks: SerializedCallback[],
  { outputFiles, metafile }: esbuild.BuildResult<Options>,
): Bundle[] {
  const outputs = new Map(outputFiles.map((file) => [path.basename(file.path), file.text]));
  const inputs = Object.keys(metafile.inputs)
    .filter((name) => !name.includes(":"))
    .map((name) => path.join(PROGRAM_ROOT, name));
  return callbacks.map((callback, index) => {
    const text = outputs.get(`${index}.js`);
    const map = outputs.get(`${index}.js.map`);
    if (text === undefined) {
      throw new Error("esbuild wrote no file for the callback.");
    }
    const origin = map === undefined ? undefined : { map, callback };
    return { text, inputs, origin };
  });
}

/**
 * Bundles callbacks at once, which reads and parses a package once for all of them, and uses all
 * processors; each as it would be alone.
 */
async function bundleAll(callbacks: SerializedCallback[], withOrigin: boolean): Promise<Bundle[]> {
  return bundlesOf(callbacks, await esbuild.build(optionsFor(callbacks, withOrigin)));
}

/**
 * Opens a bundler of one callback after the other, as they change: it reads and parses a package once.
 * It keeps the process from ending.
 */
export function openBundler(): (callback: SerializedCallback) => Promise<Bundle> {
  const callbacks: SerializedCallback[] = [{ text: "", functions: [] }];
  const context = esbuild.context(optionsFor(callbacks, true));
  let last: Promise<unknown> = Promise.resolve();
  return (callback) => {
    const bundled = last.then(async () => {
      callbacks[0] = callback;
      const [bundle] = bundlesOf(callbacks, await (await context).rebuild());
      return bundle;
    });
    // An error rejects this caller's promise only; the next bundle starts regardless.
    last = bundled.catch(() => undefined);
    return bundled as Promise<Bundle>;
  };
}

/** Callbacks that will be bundled at once. */
interface Batch {
  callbacks: Promise<SerializedCallback>[];
  /** By text, the bundles of all callbacks whose promises were not rejected. */
  bundles: Promise<Map<string, Bundle>>;
}

/** By whether bundles have their origin; open until all texts are there. */
const batches = new Map<boolean, Batch>();

async function settled(
  callbacks: Promise<SerializedCallback>[],
): Promise<Map<string, SerializedCallback>> {
  const results = await Promise.allSettled(callbacks);
  if (results.length < callbacks.length) {
    return settled(callbacks);
  }
  const fulfilled = results.filter((result) => result.status === "fulfilled");
  return new Map(fulfilled.map(({ value }) => [value.text, value]));
}

function openBatch(withOrigin: boolean): Batch {
  const callbacks: Promise<SerializedCallback>[] = [];
  const build = async () => {
    // The first callback comes after this.
    await Promise.resolve();
    const all = [...(await settled(callbacks)).values()];
    batches.delete(withOrigin);
    const bundles = all.length > 0 ? await bundleAll(all, withOrigin) : [];
    return new Map(bundles.map((bundle, index) => [all[index]?.text ?? "", bundle]));
  };
  const batch = { callbacks, bundles: build() };
  // Whoever has announced a callback learns of it.
  batch.bundles.catch(() => undefined);
  batches.set(withOrigin, batch);
  return batch;
}

/**
 * Bundles a callback into one minified file for Node 24 that holds only what the callback uses.
 *
 * @param callback or a promise of it: callbacks that are announced before the first is bundled are
 *   bundled at once
 * @param options.withOrigin the bundle has its origin, too, at a fifth more time. @default false
 * @throws esbuild's BuildFailure, which names the file and line, when the text cannot be bundled;
 *   the rejection of a promised callback
 */
export async function bundle(
  callback: SerializedCallback | Promise<SerializedCallback>,
  { withOrigin = false } = {},
): Promise<Bundle> {
  const { callbacks, bundles } = batches.get(withOrigin) ?? openBatch(withOrigin);
  const promised = Promise.resolve(callback);
  callbacks.push(promised);
  const own = await promised;
  // An error may be another's: alone, each has its own.
  const all = await bundles.catch(() => undefined);
  const [bundled] = all?.has(own.text) ? [all.get(own.text)] : await bundleAll([own], withOrigin);
  if (!bundled) {
    throw new Error("esbuild made no bundle of the callback.");
  }
  return bundled;
}
