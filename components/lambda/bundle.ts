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
  return { "names.js": names.join("\n"), "text.js": rest, "holder.js": "module.exports = {};" };
}

/** Resolves `callback:text.js` and the like to the parts of the current callback. */
function servedParts(current: () => Parts): esbuild.Plugin {
  return {
    name: "callback",
    setup(build) {
      build.onResolve({ filter: /^callback:/ }, ({ path: specifier }) => ({
        path: specifier.slice("callback:".length),
        namespace: "callback",
      }));
      build.onLoad({ filter: /.*/, namespace: "callback" }, ({ path: name }) => ({
        contents: current()[name as keyof Parts],
        resolveDir: PROGRAM_ROOT,
      }));
    },
  };
}

/** Bundles one callback after the other. */
interface Bundler {
  bundle(text: string): Promise<Bundle>;
  dispose(): Promise<void>;
}

/** Reads and parses a package, which is most of the work, once for all callbacks. */
async function openBundler(withOrigin: boolean): Promise<Bundler> {
  let parts = partsOf("");
  const context = await esbuild.context({
    stdin: {
      // In this order: the text reads the names from the holder.
      contents: 'import "callback:names.js"; export * from "callback:text.js";',
      resolveDir: PROGRAM_ROOT,
    },
    plugins: [servedParts(() => parts), leanPackages()],
    // Neither messages nor bytes may depend on the program's folder.
    absWorkingDir: PROGRAM_ROOT,
    bundle: true,
    write: false,
    metafile: true,
    // Beside the code, which is the same without.
    sourcemap: withOrigin && "external",
    sourcesContent: false,
    outfile: "index.js",
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
  });
  return {
    async bundle(text) {
      parts = partsOf(text);
      const { outputFiles, metafile } = await context.rebuild();
      const file = outputFiles.find(({ path: name }) => name.endsWith(".js"));
      const map = outputFiles.find(({ path: name }) => name.endsWith(".map"));
      if (!file) {
        throw new Error("esbuild wrote no file for the callback.");
      }
      const inputs = Object.keys(metafile.inputs).filter((name) => !name.includes(":"));
      return {
        text: file.text,
        inputs: inputs.map((name) => path.join(PROGRAM_ROOT, name)),
        origin: map && { map: map.text, serialized: parts["text.js"] },
      };
    },
    dispose: () => context.dispose(),
  };
}

/** By whether bundles have their origin; open from the first announced callback to the last bundle. */
const bundlers = new Map<boolean, Promise<Bundler>>();
let announced = 0;
let lastBundle: Promise<unknown> = Promise.resolve();

async function bundleInTurn(text: string, withOrigin: boolean): Promise<Bundle> {
  const opened = bundlers.get(withOrigin) ?? openBundler(withOrigin);
  bundlers.set(withOrigin, opened);
  const bundled = lastBundle.then(async () => (await opened).bundle(text));
  // An error rejects this caller's promise only; the next bundle starts regardless.
  lastBundle = bundled.catch(() => undefined);
  return bundled;
}

/** An open bundler would keep the process from ending. */
async function closeBundlers(): Promise<void> {
  const opened = [...bundlers.values()];
  bundlers.clear();
  for (const bundler of opened) {
    await (await bundler.catch(() => undefined))?.dispose();
  }
}

/**
 * Bundles a callback as Pulumi serialized it into one minified file for Node 24 that holds only
 * what the callback uses.
 *
 * @param text the text of `pulumi.runtime.serializeFunction`, or a promise of it: callbacks that
 *   are announced before the first is bundled share what esbuild reads
 * @param options.withOrigin the bundle has its origin, too, at a fifth more time. @default false
 * @throws esbuild's BuildFailure, which names the file and line, when the text cannot be bundled;
 *   the rejection of a promised text
 */
export async function bundle(
  text: string | Promise<string>,
  { withOrigin = false } = {},
): Promise<Bundle> {
  announced++;
  try {
    return await bundleInTurn(await text, withOrigin);
  } finally {
    announced--;
    if (announced === 0) {
      await closeBundlers();
    }
  }
}
