// TypeScript to JavaScript. Code that Pulumi serializes must equal the output of Pulumi's own loader, so
// TypeScript compiles it; esbuild compiles the rest, in a quarter of the time. The output is cached, since
// both take most of a start's first second.
"use strict";

const { readdirSync, readFileSync } = require("node:fs");
const { getCompileCacheDir } = require("node:module");
const path = require("node:path");
const { openTranspileCache } = require("./transpileCache");

const ROOT = path.resolve(__dirname, "..");
const TSCONFIG = readFileSync(path.join(ROOT, "tsconfig.json"), "utf8");

/**
 * Files and folders without code that Pulumi captures. Any other file may be part of a Lambda, of another
 * program too. test/tooling/transpiler.test.ts compares this list with the captured files.
 */
const NOT_CAPTURED = [
  "bench",
  "chaos",
  "cli",
  "components",
  "config.ts",
  "console",
  "packages",
  "scripts",
  "start",
  "test",
  "testing",
].map((name) => path.join(ROOT, name));

/** Programs within these folders. */
const CAPTURED = ["bench/naive", "packages/local-aws/test/fixtures"].map((name) =>
  path.join(ROOT, name),
);

/** Folders of which `npm start` loads most files. */
const STARTED = ["cli", "components", "packages", "start"];

const isIn = (file, parts) =>
  parts.some((part) => file === part || file.startsWith(part + path.sep));

/** Whether Pulumi may capture the file's exports, so that TypeScript has to compile it. */
function isCaptured(fileName) {
  const file = path.resolve(fileName);
  return !isIn(file, NOT_CAPTURED) || isIn(file, CAPTURED);
}
exports.isCaptured = isCaptured;

/** tsconfig.json's options that change the output, and each file for itself. */
function compilerOptions(ts) {
  const { config } = ts.parseConfigFileTextToJson("tsconfig.json", TSCONFIG);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  const single = { isolatedModules: true, noCheck: true, noLib: true, noResolve: true, types: [] };
  const output = {
    noEmit: false,
    incremental: false,
    sourceMap: true,
    // CommonJS in which `import()` remains: bundles have what callbacks import by it.
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
  };
  return { ...options, ...single, ...output };
}

/** Such as `handlers/process/process.ts:12:5: ';' expected.` */
function messageOf(ts, { file: source, start = 0, messageText }) {
  const { line, character } = source.getLineAndCharacterOfPosition(start);
  const name = path.relative(ROOT, source.fileName).replaceAll(path.sep, "/");
  return `${name}:${line + 1}:${character + 1}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
}

/**
 * Compiles files by one program of TypeScript: in three quarters of the time that one for each takes.
 *
 * @throws SyntaxError of the first file that has an error
 */
function byTypeScript(texts) {
  const ts = require("typescript");
  const options = compilerOptions(ts);
  const host = ts.createCompilerHost(options);
  host.jsDocParsingMode = ts.JSDocParsingMode.ParseNone;
  const made = new Map();
  host.getSourceFile = (name, target) =>
    texts.has(name) ? ts.createSourceFile(name, texts.get(name), target) : undefined;
  host.writeFile = (name, output, _bom, _onError, [{ fileName: file }]) => {
    const kind = name.endsWith(".map") ? "map" : "code";
    made.set(file, { text: texts.get(file), ...made.get(file), [kind]: output });
  };
  const program = ts.createProgram({ rootNames: [...texts.keys()], options, host });
  // TypeScript makes code of a syntax error, too, which would fail elsewhere or not at all.
  const [error] = program.getSyntacticDiagnostics();
  if (error) {
    throw new SyntaxError(messageOf(ts, error));
  }
  program.emit();
  return [...made];
}

const ESBUILD = { format: "cjs", target: "node24", sourcemap: "external" };

function oneByEsbuild(file, text) {
  const options = { ...ESBUILD, loader: "ts", sourcefile: file };
  const { code, map } = require("esbuild").transformSync(text, options);
  return [file, { text, code, map }];
}

/** Compiles files in a third of the time that one after the other takes. */
function byEsbuild(texts) {
  const files = [...texts.keys()];
  if (files.length === 1) {
    return [oneByEsbuild(files[0], texts.get(files[0]))];
  }
  const { outputFiles } = require("esbuild").buildSync({
    ...ESBUILD,
    entryPoints: files,
    outbase: ROOT,
    outdir: ROOT,
    tsconfigRaw: {},
    write: false,
    logLevel: "silent",
  });
  const outputs = new Map(outputFiles.map((output) => [output.path, output.text]));
  return files.map((file) => {
    const output = file.replace(/ts$/, "js");
    const map = outputs.get(`${output}.map`);
    // As esbuild has read it: the file may have changed.
    const [text] = JSON.parse(map).sourcesContent;
    return [file, { text, code: outputs.get(output), map }];
  });
}

/**
 * Compiles files that are all captured, or none.
 *
 * @param texts by file
 * @returns `[file, { text, code, map }]` of each
 */
function compile(texts) {
  const [file] = texts.keys();
  return isCaptured(file) ? byTypeScript(texts) : byEsbuild(texts);
}
exports.compile = compile;

/** The files that a start loads, and some more. */
function startFiles() {
  const files = STARTED.flatMap((name) => {
    const entries = readdirSync(path.join(ROOT, name), { recursive: true, withFileTypes: true });
    return entries.map((entry) => path.join(entry.parentPath, entry.name));
  });
  return [...files, path.join(ROOT, "config.ts"), path.join(ROOT, "index.ts")].filter(
    (file) =>
      /(?<!\.d)\.ts$/.test(file) &&
      !/[\\/](?:node_modules|test|examples)[\\/]/.test(path.relative(ROOT, file)),
  );
}

/** What a start has asked for: whether captured. */
const asked = new Set();

/** When the first file of a kind is missing: all that a start loads of that kind, by file. */
function compiledWith(file) {
  const kind = isCaptured(file);
  if (asked.has(kind)) {
    return [];
  }
  asked.add(kind);
  const files = startFiles().filter((other) => isCaptured(other) === kind);
  return files.map((other) => [other, readFileSync(other, "utf8")]);
}

/** Within Node's compile cache: clearing that, or turning it off, covers this one too. */
const nodeCache = getCompileCacheDir?.();

const cache = openTranspileCache(
  nodeCache && path.join(nodeCache, "s3-uploader"),
  JSON.stringify([
    ROOT,
    readFileSync(__filename, "utf8"),
    TSCONFIG,
    ...["esbuild", "typescript"].map((name) => require(`${name}/package.json`).version),
  ]),
  { compile, compiledWith },
);
process.once("exit", () => {
  cache.save();
});

/** The JavaScript of a TypeScript file. */
exports.transpile = (text, file) => cache.codeOf(text, file);

/** The source map of a file that was transpiled, as JSON text; undefined for others. */
exports.sourceMapOf = (file) => cache.mapOf(file);
