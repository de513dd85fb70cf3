import * as path from "node:path";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import type { Bundle, SerializedCallback } from "./bundleCache";
import { leanPackages } from "./leanPackages";

/** The folder whose `node_modules` has the packages. */
export const PROGRAM_ROOT = path.resolve(__dirname, "..", "..");

/**
 * Lambda's runtime starts Node with `--expose-gc`, with which Node compiles its own modules anew: the
 * code that it contains was compiled without. Modules that load after this line are loaded compiled,
 * which saves about a tenth of a start's CPU time. A `gc` that exists already remains.
 */
const FIRST_LINE = 'require("node:v8").setFlagsFromString("--no-expose-gc");';

/** The ES module of a bundle: it imports what the callback does, so that esbuild leaves out what is unused. */
function entryOf({ modules }: SerializedCallback, index: number): string {
  const imports: string[] = [`import callback from "callback:${index}.cjs";`];
  const values = modules.map(({ specifier, names }, at) => {
    const from = `from ${JSON.stringify(specifier)};`;
    if (!names) {
      imports.push(`import * as module${at} ${from}`);
      return `module${at}`;
    }
    const variables = names.map((name) => ({ name, variable: `module${at}_${name}` }));
    const list = variables.map(({ name, variable }) => `${name} as ${variable}`);
    imports.push(`import { ${list.join(", ")} } ${from}`);
    return `{ ${variables.map(({ name, variable }) => `${name}: ${variable}`).join(", ")} }`;
  });
  return `${imports.join("\n")}\nexport const handler = callback([${values.join(", ")}]);\n`;
}

/** Resolves `callback:1.js` to the bundle's own module of the second callback, and `callback:1.cjs` to that. */
function servedModules(callbacks: SerializedCallback[]): esbuild.Plugin {
  return {
    name: "callback",
    setup(build) {
      build.onResolve({ filter: /^callback:/ }, ({ path: specifier }) => ({
        path: specifier.slice("callback:".length),
        namespace: "callback",
      }));
      build.onLoad({ filter: /.*/, namespace: "callback" }, ({ path: name }) => {
        const index = Number.parseInt(name, 10);
        const callback = callbacks[index];
        const isEntry = name.endsWith(".js");
        return {
          contents: callback && (isEntry ? entryOf(callback, index) : callback.text),
          resolveDir: isEntry ? callback?.folder : PROGRAM_ROOT,
        };
      });
    },
  };
}

/** Refuses what exists while the program is deployed: a Lambda would have megabytes of it, and fail. */
const withoutPulumi: esbuild.Plugin = {
  name: "without-pulumi",
  setup(build) {
    build.onResolve({ filter: /^@pulumi\// }, ({ path: name }) => ({
      errors: [
        {
          text:
            `A Lambda has no "${name}": only the deployment has. ` +
            "Handlers have settings from their environment variables.",
        },
      ],
    }));
  },
};

/** For as many bundles as there are callbacks, named by their index. */
function optionsFor(callbacks: SerializedCallback[], withSourceMap: boolean) {
  return {
    entryPoints: callbacks.map((_parts, index) => ({
      in: `callback:${index}.js`,
      out: String(index),
    })),
    plugins: [servedModules(callbacks), withoutPulumi, leanPackages()],
    // Neither messages nor bytes may depend on the program's folder.
    absWorkingDir: PROGRAM_ROOT,
    bundle: true,
    write: false,
    metafile: true,
    // Beside the code, which is the same without.
    sourcemap: withSourceMap && "external",
    sourcesContent: false,
    sourceRoot: pathToFileURL(PROGRAM_ROOT + path.sep).href,
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
    // What would be found out by the Lambda.
    logOverride: { "empty-import-meta": "error", "import-is-undefined": "error" },
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
  return callbacks.map((_callback, index) => {
    const text = outputs.get(`${index}.js`);
    if (text === undefined) {
      throw new Error("esbuild wrote no file for the callback.");
    }
    return { text, inputs, sourceMap: outputs.get(`${index}.js.map`) };
  });
}

/**
 * Bundles callbacks at once, which reads and parses a package once for all of them, and uses all
 * processors; each as it would be alone.
 */
async function bundleAll(
  callbacks: SerializedCallback[],
  withSourceMap: boolean,
): Promise<Bundle[]> {
  return bundlesOf(callbacks, await esbuild.build(optionsFor(callbacks, withSourceMap)));
}

/**
 * Opens a bundler of one callback after the other, as they change: it reads and parses a package once.
 * It keeps the process from ending.
 */
export function openBundler(): (callback: SerializedCallback) => Promise<Bundle> {
  const callbacks: SerializedCallback[] = [{ text: "", modules: [], folder: undefined }];
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
  /** By key, the bundles of all callbacks whose promises were not rejected. */
  bundles: Promise<Map<string, Bundle>>;
}

/** By whether bundles have their source maps; open until all texts are there. */
const batches = new Map<boolean, Batch>();

function keyOf({ text, modules, folder }: SerializedCallback): string {
  return JSON.stringify([text, modules, folder]);
}

async function settled(
  callbacks: Promise<SerializedCallback>[],
): Promise<Map<string, SerializedCallback>> {
  const results = await Promise.allSettled(callbacks);
  if (results.length < callbacks.length) {
    return settled(callbacks);
  }
  const fulfilled = results.filter((result) => result.status === "fulfilled");
  return new Map(fulfilled.map(({ value }) => [keyOf(value), value]));
}

function openBatch(withSourceMap: boolean): Batch {
  const callbacks: Promise<SerializedCallback>[] = [];
  const build = async () => {
    // The first callback comes after this.
    await Promise.resolve();
    const all = await settled(callbacks);
    const keys = [...all.keys()];
    batches.delete(withSourceMap);
    const bundles = all.size > 0 ? await bundleAll([...all.values()], withSourceMap) : [];
    return new Map(bundles.map((bundle, index) => [keys[index] ?? "", bundle]));
  };
  const batch = { callbacks, bundles: build() };
  // Whoever has announced a callback learns of it.
  batch.bundles.catch(() => undefined);
  batches.set(withSourceMap, batch);
  return batch;
}

/**
 * Bundles a callback into one minified file for Node 24 that holds only what the callback uses.
 *
 * @param callback or a promise of it: callbacks that are announced before the first is bundled are
 *   bundled at once
 * @param options.withSourceMap the bundle has its source map, too, at a fifth more time. @default false
 * @throws esbuild's BuildFailure, which names the file and line, when the text cannot be bundled;
 *   the rejection of a promised callback
 */
export async function bundle(
  callback: SerializedCallback | Promise<SerializedCallback>,
  { withSourceMap = false } = {},
): Promise<Bundle> {
  const { callbacks, bundles } = batches.get(withSourceMap) ?? openBatch(withSourceMap);
  const promised = Promise.resolve(callback);
  callbacks.push(promised);
  const own = await promised;
  // An error may be another's: alone, each has its own.
  const all = await bundles.catch(() => undefined);
  const shared = all?.get(keyOf(own));
  // Also one that came while the batch was closing.
  const [bundled] = shared ? [shared] : await bundleAll([own], withSourceMap);
  if (!bundled) {
    throw new Error("esbuild made no bundle of the callback.");
  }
  return bundled;
}
