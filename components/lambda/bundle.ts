import * as path from "node:path";
import * as esbuild from "esbuild";
import type { Bundle } from "./bundleCache";
import { leanPackages } from "./leanPackages";

/** The folder whose `node_modules` has the packages. */
const PROGRAM_ROOT = path.resolve(__dirname, "..", "..");

/** `const name = require("specifier");`, as Pulumi writes captured modules. */
const REQUIRE_LINE = /^(?:const|let|var) (\w+) = require\("([^"]+)"\);$/gm;

/**
 * Lambda's runtime starts Node with `--expose-gc`, with which Node compiles its own modules anew: the
 * code that it contains was compiled without. Modules that load after this line are loaded compiled,
 * which saves about a tenth of a start's CPU time. A `gc` that exists already remains.
 */
const FIRST_LINE = 'require("node:v8").setFlagsFromString("--no-expose-gc");';

/** `@scope/name` or `name`, at the start of a specifier. */
const PACKAGE_NAME = /^(?:@[^/]+\/)?[^/]+/;

/** The captures of a function without `this` and `arguments`, as Pulumi writes them around each function. */
const CAPTURES = /^( {4}with\(\{.*?),? this: undefined, arguments: undefined \}\) \{$/gm;

/** Pulumi's call of what is around a function, and the function's own. */
const CALLS = /^( {2}\}\))\.apply\(undefined, undefined\)(\.apply\(this, arguments\);)$/gm;

/** The text with less around each of its hundreds of functions: Node reads all of it at each start. */
function shortened(text: string): string {
  return text.replace(CAPTURES, "$1 }) {").replace(CALLS, "$1()$2");
}

/**
 * The module to bundle for a specifier in the serialized text. Pulumi names the file that the
 * program loaded, which for the AWS SDK is its CommonJS build: one file that cannot be tree-shaken.
 * By the package's name, esbuild chooses the ES build instead.
 */
function entryOf(specifier: string): string {
  return specifier.includes("/dist-cjs/")
    ? (PACKAGE_NAME.exec(specifier)?.[0] ?? specifier)
    : specifier;
}

/** The properties that the text reads from a captured module. */
function usedNames(text: string, moduleName: string): string[] {
  const names = new Set<string>();
  for (const match of text.matchAll(new RegExp(`\\b${moduleName}\\.([A-Za-z_$][\\w$]*)`, "g"))) {
    if (match[1]) {
      names.add(match[1]);
    }
  }
  return [...names].sort();
}

/** Whether the module is used in any other way than by reading a property of it. */
function usedAsWhole(text: string, moduleName: string): boolean {
  const uses = text.matchAll(new RegExp(`\\b${moduleName}\\b(?!\\s*\\.\\s*[A-Za-z_$])`, "g"));
  // One such use is the `const` that declares it.
  return [...uses].length > 1;
}

/** The two parts of a bundle, and the object that carries the captured names between them. */
interface Parts {
  "names.js": string;
  "text.js": string;
  "holder.js": string;
}

/**
 * Moves the captured packages out of the text into an ES module that imports them, so that esbuild
 * drops unused exports: of a module that is `require`d, directly or through others, it keeps all.
 * The text itself cannot be an ES module, because of its `with` blocks.
 */
function partsOf(text: string): Parts {
  const names = ['import holder from "callback:holder.js";'];
  const rest = text.replace(REQUIRE_LINE, (line, name: string, specifier: string) => {
    if (usedAsWhole(text, name)) {
      return line;
    }
    const used = usedNames(text, name);
    const imports = used.map((property) => `${property} as ${name}_${property}`).join(", ");
    const properties = used.map((property) => `${property}: ${name}_${property}`).join(", ");
    names.push(
      `import { ${imports} } from ${JSON.stringify(entryOf(specifier))};`,
      `holder.${name} = { ${properties} };`,
    );
    return `const ${name} = require("callback:holder.js").${name};`;
  });
  return {
    "names.js": names.join("\n"),
    "text.js": shortened(rest),
    "holder.js": "module.exports = {};",
  };
}

/** The first module of each bundle. In this order: the text reads the names from the holder. */
const ENTRY = 'import "callback:names.js"; export * from "callback:text.js";';

/**
 * Resolves `callback:1/entry.js` to the first module of the second callback, and `callback:text.js` and
 * the like, within the second callback, to its parts.
 */
function servedParts(callbacks: Parts[]): esbuild.Plugin {
  return {
    name: "callback",
    setup(build) {
      build.onResolve({ filter: /^callback:/ }, ({ path: specifier, importer }) => {
        const name = specifier.slice("callback:".length);
        const callback = path.posix.dirname(importer);
        return {
          path: name.includes("/") ? name : `${callback}/${name}`,
          namespace: "callback",
        };
      });
      build.onLoad({ filter: /.*/, namespace: "callback" }, ({ path: name }) => {
        const [callback, part] = name.split("/") as [string, keyof Parts | "entry.js"];
        const contents = part === "entry.js" ? ENTRY : callbacks[Number(callback)]?.[part];
        return { contents, resolveDir: PROGRAM_ROOT };
      });
    },
  };
}

/** For as many bundles as there are callbacks, named by their index. */
function optionsFor(callbacks: Parts[], withOrigin: boolean) {
  return {
    entryPoints: callbacks.map((_parts, index) => ({
      in: `callback:${index}/entry.js`,
      out: String(index),
    })),
    plugins: [servedParts(callbacks), leanPackages()],
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
  callbacks: Parts[],
  { outputFiles, metafile }: esbuild.BuildResult<Options>,
): Bundle[] {
  const outputs = new Map(outputFiles.map((file) => [path.basename(file.path), file.text]));
  const inputs = Object.keys(metafile.inputs)
    .filter((name) => !name.includes(":"))
    .map((name) => path.join(PROGRAM_ROOT, name));
  return callbacks.map((parts, index) => {
    const text = outputs.get(`${index}.js`);
    const map = outputs.get(`${index}.js.map`);
    if (text === undefined) {
      throw new Error("esbuild wrote no file for the callback.");
    }
    const origin = map === undefined ? undefined : { map, serialized: parts["text.js"] };
    return { text, inputs, origin };
  });
}

/**
 * Bundles callbacks at once, which reads and parses a package once for all of them, and uses all
 * processors; each as it would be alone.
 */
async function bundleAll(texts: string[], withOrigin: boolean): Promise<Bundle[]> {
  const callbacks = texts.map(partsOf);
  return bundlesOf(callbacks, await esbuild.build(optionsFor(callbacks, withOrigin)));
}

/**
 * Opens a bundler of one callback after the other, as they change: it reads and parses a package once.
 * It keeps the process from ending.
 */
export function openBundler(): (text: string) => Promise<Bundle> {
  const callbacks = [partsOf("")];
  const context = esbuild.context(optionsFor(callbacks, true));
  let last: Promise<unknown> = Promise.resolve();
  return (text) => {
    const bundled = last.then(async () => {
      callbacks[0] = partsOf(text);
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
  texts: Promise<string>[];
  /** The bundles of all texts that were not rejected. */
  bundles: Promise<Map<string, Bundle>>;
}

/** By whether bundles have their origin; open until all texts are there. */
const batches = new Map<boolean, Batch>();

async function settled(texts: Promise<string>[]): Promise<Set<string>> {
  const results = await Promise.allSettled(texts);
  if (results.length < texts.length) {
    return settled(texts);
  }
  return new Set(results.flatMap((result) => (result.status === "fulfilled" ? result.value : [])));
}

function openBatch(withOrigin: boolean): Batch {
  const texts: Promise<string>[] = [];
  const build = async () => {
    // The first text comes after this.
    await Promise.resolve();
    const all = [...(await settled(texts))];
    batches.delete(withOrigin);
    const bundles = all.length > 0 ? await bundleAll(all, withOrigin) : [];
    return new Map(bundles.map((bundle, index) => [all[index] ?? "", bundle]));
  };
  const batch = { texts, bundles: build() };
  // Whoever has announced a text learns of it.
  batch.bundles.catch(() => undefined);
  batches.set(withOrigin, batch);
  return batch;
}

/**
 * Bundles a callback as Pulumi serialized it into one minified file for Node 24 that holds only
 * what the callback uses.
 *
 * @param text the text of `pulumi.runtime.serializeFunction`, or a promise of it: callbacks that
 *   are announced before the first is bundled are bundled at once
 * @param options.withOrigin the bundle has its origin, too, at a fifth more time. @default false
 * @throws esbuild's BuildFailure, which names the file and line, when the text cannot be bundled;
 *   the rejection of a promised text
 */
export async function bundle(
  text: string | Promise<string>,
  { withOrigin = false } = {},
): Promise<Bundle> {
  const { texts, bundles } = batches.get(withOrigin) ?? openBatch(withOrigin);
  const promised = Promise.resolve(text);
  texts.push(promised);
  const own = await promised;
  // An error may be another's: alone, each has its own.
  const all = await bundles.catch(() => undefined);
  const [bundled] = all?.has(own) ? [all.get(own)] : await bundleAll([own], withOrigin);
  if (!bundled) {
    throw new Error("esbuild made no bundle of the callback.");
  }
  return bundled;
}
