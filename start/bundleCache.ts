import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { cacheFolder } from "../cli/cacheFolder";
import type { Bundle, BundleCache, Packing, Pages } from "../components/lambda/bundleCache";
import { capturedValues } from "./capturedValues";
import { PROGRAM_DIR } from "./programDir";
import { createSerializations, type Serializations } from "./serializations";
import { openSourceMaps, type SourceMaps } from "./sourceMap";

/** Of the program's folder, what decides on a bundle besides the program's own modules. */
const PROGRAM_FILES = [
  "package.json",
  "package-lock.json",
  // What is installed, which need not be what the lockfile says.
  "node_modules/.package-lock.json",
  "tsconfig.json",
  "tooling",
  "components",
  "config.ts",
  "events",
  "handlers",
  "index.ts",
  "runtime",
  "store",
];

/** Environment variables that the AWS provider's settings come from. */
const PROVIDER_VARIABLES = ["AWS_REGION", "AWS_DEFAULT_REGION"];

const NAMED_VARIABLE = /process\.env(?:\.(\w+)|\["(\w+)"\])/g;

/** The name of the package that a file is of, the first of nested ones. */
const PACKAGE = /[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/;

/** An import of a module of Node's own. */
const BUILTIN = /from "(node:[\w/]+)"/g;

/** An import through which a module could read a setting while it is loaded. */
const SETTINGS_IMPORT = /"(?:@pulumi\/|(?:\.\.?\/)+(?:config"|components\/))/;

/** Days that an entry is kept without being used. */
const MAX_UNUSED_DAYS = 30;

const DAY_MS = 24 * 60 * 60 * 1000;

/** One kept bundle, whose source map is a file beside it; or the kept pages. */
interface Entry {
  text: string;
  /** What each file that esbuild had read was like: size, time of change, and inode. */
  inputs: Record<string, string>;
}

const requireModule = createRequire(__filename);

const { isCaptured } = requireModule("../tooling/transpiler.js") as {
  isCaptured: (file: string) => boolean;
};

function filesOf(name: string): string[] {
  const file = path.join(PROGRAM_DIR, name);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) {
    return stat ? [file] : [];
  }
  return readdirSync(file, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** The modules that the entry has loaded, and those that they have, packages left out. */
function loadedModules(entry: string): string[] {
  const found = new Set<string>();
  const visit = (file: string) => {
    if (found.has(file) || file.includes(`${path.sep}node_modules${path.sep}`)) {
      return;
    }
    found.add(file);
    for (const child of requireModule.cache[file]?.children ?? []) {
      visit(child.filename);
    }
  };
  visit(entry);
  return [...found];
}

/** The files of one kept bundle; pages have no map. */
interface KeptFiles {
  file: string;
  map?: string;
}

function stateOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.size} ${stat.mtimeMs} ${stat.ino}` : "none";
}

/** The program, as far as the cache looks at it. */
export interface Program {
  /** Of the sources of all of it, of what is installed, and of Node. */
  key: string;
  /** Of the stack's settings. */
  settings: string;
  /** Whether a module that handlers are made of could itself read a setting while it is loaded. */
  handlersReadSettings: boolean;
  /** Names what handlers' modules export: the same in each load of the same sources. */
  nameOf: (value: object) => string | undefined;
  /** Makes the source maps of bundles. */
  sourceMaps: () => SourceMaps;
}

/** The cache of a program's bundles, and their source maps. */
export interface ProgramBundles extends BundleCache, Pick<Serializations, "tidy"> {
  /**
   * The source map of a bundle that this cache has given: JSON, or a file of it.
   *
   * @param code the bundle's text
   */
  sourceMapOf(code: string): string | { path: string } | undefined;
}

/** Names each captured module's exports, and modules themselves: packages' and Node's, too. */
function namesOf(modules: string[], builtins: Set<string>): Program["nameOf"] {
  const names = new Map<unknown, string>();
  for (const name of builtins) {
    names.set(requireModule(name), name);
  }
  for (const [file, module] of Object.entries(requireModule.cache)) {
    const exported = module?.exports as unknown;
    if (file.includes(`${path.sep}node_modules${path.sep}`)) {
      names.set(exported, file);
    } else if (modules.includes(file) && exported !== null && typeof exported === "object") {
      names.set(exported, file);
      for (const [name, value] of Object.entries(exported)) {
        names.set(value, `${file} ${name}`);
      }
    }
  }
  return (value) => names.get(value);
}

/** Reads the program that is loaded now. */
export function readProgram(entry: string): Program {
  const modules = loadedModules(entry);
  const sources = [...new Set([...PROGRAM_FILES.flatMap(filesOf), ...modules])].sort();
  // Not the entry: what it exports may have captured a setting, and is compared by its values.
  const handlerModules = modules.filter((file) => file !== entry && isCaptured(file));
  const hash = createHash("sha256");
  const variables = new Set(PROVIDER_VARIABLES);
  const builtins = new Set<string>();
  let handlersReadSettings = false;
  for (const file of sources) {
    const text = readFileSync(file, "utf8");
    hash.update(JSON.stringify([file, text]));
    for (const [, dotted, quoted] of text.matchAll(NAMED_VARIABLE)) {
      variables.add(dotted ?? quoted ?? "");
    }
    if (handlerModules.includes(file)) {
      handlersReadSettings ||= SETTINGS_IMPORT.test(text);
      for (const [, name = ""] of text.matchAll(BUILTIN)) {
        builtins.add(name);
      }
    }
  }
  let sourceMaps: SourceMaps | undefined;
  const environment = [...variables].sort().map((name) => [name, process.env[name] ?? null]);
  hash.update(JSON.stringify([process.version, process.cwd(), environment]));
  return {
    key: hash.digest("hex"),
    settings: JSON.stringify([
      pulumi.getProject(),
      pulumi.getStack(),
      Object.entries(pulumi.runtime.allConfig()).sort(),
    ]),
    handlersReadSettings,
    nameOf: namesOf(handlerModules, builtins),
    sourceMaps: () => (sourceMaps ??= openSourceMaps(modules.filter(isCaptured))),
  };
}

/** What decides on one Lambda's bundle; undefined where that is not known. */
function keyOf(
  { key, settings, handlersReadSettings, nameOf }: Program,
  lambda: string,
  factory: (...args: never[]) => unknown,
): string | undefined {
  const captured = nameOf(factory) ?? capturedValues(factory, nameOf);
  if (captured === undefined) {
    return undefined;
  }
  return createHash("sha256")
    .update(JSON.stringify([key, lambda, captured, handlersReadSettings ? settings : ""]))
    .digest("hex");
}

/**
 * What decides on one Lambda's bundle while packages, Node and Pulumi's files stay as they are: its
 * captured values, and only those modules that they come from or that these import.
 */
export function narrowKeyOf(
  { settings, handlersReadSettings, nameOf }: Program,
  factory: (...args: never[]) => unknown,
): string | undefined {
  const names = new Set<string>();
  const recorded = (value: object) => {
    const name = nameOf(value);
    names.add(name ?? "");
    return name;
  };
  const captured = recorded(factory) ?? capturedValues(factory, recorded);
  if (captured === undefined) {
    return undefined;
  }
  const files = Object.keys(requireModule.cache).filter(
    (file) => names.has(file) || [...names].some((name) => name.startsWith(`${file} `)),
  );
  const sources = [...new Set(files.flatMap(loadedModules))].sort();
  const texts = sources.map((file) => [file, readFileSync(file, "utf8")]);
  return JSON.stringify([captured, texts, handlersReadSettings ? settings : ""]);
}

function readEntry({ file, map }: KeptFiles): Entry | undefined {
  try {
    const entry = JSON.parse(readFileSync(file, "utf8")) as Entry;
    const isSame = Object.entries(entry.inputs).every(([input, state]) => stateOf(input) === state);
    return isSame && typeof entry.text === "string" && (!map || existsSync(map))
      ? entry
      : undefined;
  } catch {
    // None, or a damaged one.
    return undefined;
  }
}

/** Keeps a used entry from being removed by its age. */
function touch({ file, map }: KeptFiles): void {
  try {
    if (statSync(file).mtimeMs < Date.now() - DAY_MS) {
      for (const each of map ? [map, file] : [file]) {
        utimesSync(each, new Date(), new Date());
      }
    }
  } catch {
    // Another process has removed it, or the folder is read-only: the entry has served.
  }
}

/**
 * The files that what esbuild makes depends on: those that it has read, by their true paths, and each
 * package's manifest where the program finds it, which may be a link to another place tomorrow.
 */
function dependenciesOf(inputs: string[]): string[] {
  const packages = inputs.flatMap((file) => PACKAGE.exec(file)?.[1] ?? []);
  const manifests = [...new Set(packages)].map((name) =>
    path.join(PROGRAM_DIR, "node_modules", name, "package.json"),
  );
  return [...inputs, ...manifests];
}

function writeAtomically(file: string, text: string): void {
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, text, { mode: 0o600 });
  renameSync(unfinished, file);
}

/** An unwritable cache folder is ignored. */
function writeEntry(
  { file, map }: KeptFiles,
  { text, inputs }: Pick<Bundle, "text" | "inputs">,
  sourceMap = "{}",
): void {
  const entry: Entry = {
    text,
    inputs: Object.fromEntries(dependenciesOf(inputs).map((input) => [input, stateOf(input)])),
  };
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    if (map) {
      writeAtomically(map, sourceMap);
    }
    writeAtomically(file, JSON.stringify(entry));
  } catch {
    // The next load bundles again.
  }
}

/** Removes entries that nobody has used for long. */
function removeOldEntries(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      const file = path.join(folder, name);
      if (statSync(file).mtimeMs < Date.now() - MAX_UNUSED_DAYS * DAY_MS) {
        rmSync(file);
      }
    }
  } catch {
    // No folder, or another process removes them too.
  }
}

/**
 * Opens the cache of bundled Lambda code: serializing and bundling the callbacks is most of a load of
 * the program. Never for a deployment.
 *
 * An entry is used only for the same program (all its sources, its lockfile and installed packages,
 * Node's version), the same Lambda and captured values, and while every file that esbuild had read is
 * as it was. A callback whose captured values cannot be compared is bundled in each load.
 *
 * @param options.folder @default s3-uploader/bundles in the user's cache folder
 * @param options.entry absolute path of the program's first module @default index.ts
 */
export function openBundleCache({
  folder = cacheFolder("bundles"),
  entry = path.join(PROGRAM_DIR, "index.ts"),
}: { folder?: string; entry?: string } = {}): ProgramBundles {
  let program: Program | undefined;
  const sourceMaps = new Map<string, string | { path: string }>();
  const serializations = createSerializations();

  async function make(packing: Packing, loaded: Program) {
    const made = await packing.bundle(serializations.run(packing), { withOrigin: true });
    const sourceMap = made.origin && loaded.sourceMaps().of(made.origin);
    if (sourceMap !== undefined) {
      sourceMaps.set(made.text, sourceMap);
    }
    return { made, sourceMap };
  }

  /** The callbacks of one load run in the same event-loop tick. */
  function loadedProgram(): Program {
    if (!program) {
      program = readProgram(entry);
      setImmediate(() => (program = undefined));
    }
    return program;
  }

  return {
    tidy: serializations.tidy,
    async textOf(lambda, factory, packing) {
      const loaded = loadedProgram();
      const name = keyOf(loaded, lambda, factory);
      if (name === undefined) {
        return (await make(packing, loaded)).made.text;
      }
      const place = path.join(folder, name);
      const files = { file: `${place}.json`, map: `${place}.map` };
      const kept = readEntry(files);
      if (kept) {
        touch(files);
        sourceMaps.set(kept.text, { path: files.map });
        return kept.text;
      }
      const { made, sourceMap } = await make(packing, loaded);
      writeEntry(files, made, sourceMap);
      removeOldEntries(folder);
      return made.text;
    },
    async pagesOf(build) {
      const name = createHash("sha256").update(`pages ${loadedProgram().key}`).digest("hex");
      const files = { file: path.join(folder, `${name}.json`) };
      const kept = readEntry(files);
      if (kept) {
        touch(files);
        return { texts: JSON.parse(kept.text) as Pages["texts"], inputs: [] };
      }
      const pages = await build();
      writeEntry(files, { text: JSON.stringify(pages.texts), inputs: pages.inputs });
      return pages;
    },
    sourceMapOf: (code) => sourceMaps.get(code),
  };
}
