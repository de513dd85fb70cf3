import * as path from "node:path";
import * as esbuild from "esbuild";
import { leanPackages } from "./leanPackages";

/** Where packages are looked up: the program's own `node_modules`. */
const PROGRAM_ROOT = path.resolve(__dirname, "..", "..");

/** `const name = require("specifier");`, the form in which Pulumi writes captured modules. */
const REQUIRE_LINE = /^(?:const|let|var) (\w+) = require\("([^"]+)"\);$/gm;

/** `@scope/name` or `name`, of a specifier that may go on into the package's files. */
const PACKAGE_NAME = /^(?:@[^/]+\/)?[^/]+/;

/**
 * The module to bundle for a specifier in the serialized text. Pulumi names the file that the
 * program itself had loaded, which for the AWS SDK is its CommonJS build: one file that cannot be
 * tree-shaken. The package's own entry lets esbuild choose the ES build instead.
 */
function entryOf(specifier: string): string {
  return specifier.includes("/dist-cjs/")
    ? (PACKAGE_NAME.exec(specifier)?.[0] ?? specifier)
    : specifier;
}

/** The properties that the text reads from a captured module: all that it needs of it. */
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
 * Takes the captured packages out of the text. They are imported by an ES module, so that esbuild
 * drops what nobody uses: of what is `require`d, or reached through a `require`, it keeps all. The
 * text itself cannot be that module, for its `with` blocks are not allowed in one.
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

/** Serves the parts of the callback whose turn it is as modules: `callback:text.js`. */
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
  bundle(text: string): Promise<string>;
  dispose(): Promise<void>;
}

/** Reads and parses a package once for all callbacks that use it: that is most of the work. */
async function openBundler(): Promise<Bundler> {
  let parts = partsOf("");
  const context = await esbuild.context({
    stdin: {
      // In this order: the names have to be in the holder before the text looks for them.
      contents: 'import "callback:names.js"; export * from "callback:text.js";',
      resolveDir: PROGRAM_ROOT,
    },
    plugins: [servedParts(() => parts), leanPackages()],
    // Messages must not depend on where the program lies, and neither must the bytes.
    absWorkingDir: PROGRAM_ROOT,
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    platform: "node",
    target: "node24",
    // Node makes an `import()` of a module of its own by reading all its exports. Of node:http,
    // which the SDK loads so where an endpoint is not HTTPS, one is a whole WebSocket client.
    supported: { "dynamic-import": false },
    format: "cjs",
    mainFields: ["module", "main"],
    charset: "utf8",
    legalComments: "none",
    logLevel: "silent",
  });
  return {
    async bundle(text) {
      parts = partsOf(text);
      const [file] = (await context.rebuild()).outputFiles;
      if (!file) {
        throw new Error("esbuild wrote no file for the callback.");
      }
      return file.text;
    },
    dispose: () => context.dispose(),
  };
}

/** The one that is open: from the first callback that is announced until the last is bundled. */
let bundler: Promise<Bundler> | undefined;
let announced = 0;
let lastBundle: Promise<unknown> = Promise.resolve();

async function bundleInTurn(text: string): Promise<string> {
  bundler ??= openBundler();
  const opened = bundler;
  const bundled = lastBundle.then(async () => (await opened).bundle(text));
  // The caller hears of an error; the next in turn does not have to.
  lastBundle = bundled.catch(() => undefined);
  return bundled;
}

/** Left open, it would keep the process from its end. */
async function closeBundler(): Promise<void> {
  const opened = bundler;
  bundler = undefined;
  await (await opened?.catch(() => undefined))?.dispose();
}

/**
 * Bundles a callback as Pulumi serialized it into one minified file for Node 24 that holds only
 * what the callback uses.
 *
 * @param text the text that `pulumi.runtime.serializeFunction` made, or will make: callbacks that
 *   are given before the first is bundled share what esbuild reads
 * @returns the source of a CommonJS module with the same exports
 * @throws esbuild's BuildFailure, which names the file and line, when the text cannot be bundled;
 *   what a promised text rejects with
 */
export async function bundle(text: string | Promise<string>): Promise<string> {
  announced++;
  try {
    return await bundleInTurn(await text);
  } finally {
    announced--;
    if (announced === 0) {
      await closeBundler();
    }
  }
}
