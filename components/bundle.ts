import * as path from "node:path";
import * as esbuild from "esbuild";

/** Where packages are looked up: the program's own `node_modules`. */
const PROGRAM_ROOT = path.resolve(__dirname, "..");

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

/** Serves `export { used, names } from "package"` for each captured module. */
function capturedModules(sources: Map<string, string>): esbuild.Plugin {
  return {
    name: "captured-modules",
    setup(build) {
      build.onResolve({ filter: /^captured:/ }, (args) => ({
        path: args.path,
        namespace: "captured",
      }));
      build.onLoad({ filter: /.*/, namespace: "captured" }, (args) => ({
        contents: sources.get(args.path) ?? "",
        resolveDir: PROGRAM_ROOT,
      }));
    },
  };
}

/**
 * Bundles a callback as Pulumi serialized it into one minified file for Node 24 that holds only
 * what the callback uses.
 *
 * Each captured package becomes a small ES module that re-exports just the names which the text
 * reads, so that esbuild can drop the rest of the package: it keeps all of what is `require`d.
 *
 * @param text the text that `pulumi.runtime.serializeFunction` made
 * @returns the source of a CommonJS module with the same exports
 * @throws esbuild's BuildFailure, which names the file and line, when the text cannot be bundled
 */
export async function bundle(text: string): Promise<string> {
  const sources = new Map<string, string>();
  const contents = text.replace(REQUIRE_LINE, (line, name: string, specifier: string) => {
    if (usedAsWhole(text, name)) {
      return line;
    }
    const id = `captured:${specifier}`;
    const names = usedNames(text, name).join(", ");
    sources.set(id, `export { ${names} } from ${JSON.stringify(entryOf(specifier))};`);
    return `const ${name} = require(${JSON.stringify(id)});`;
  });
  const result = await esbuild.build({
    stdin: { contents, resolveDir: PROGRAM_ROOT, sourcefile: "callback.js", loader: "js" },
    plugins: [capturedModules(sources)],
    // Messages must not depend on where the program lies, and neither must the bytes.
    absWorkingDir: PROGRAM_ROOT,
    bundle: true,
    write: false,
    minify: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    mainFields: ["module", "main"],
    charset: "utf8",
    legalComments: "none",
    logLevel: "silent",
  });
  const [file] = result.outputFiles;
  if (!file) {
    throw new Error("esbuild wrote no file for the callback.");
  }
  return file.text;
}
