import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { capturedValues } from "./capturedValues";
import { programFiles, statesOf } from "./programFiles";

/** Environment variables that the AWS provider's settings come from. */
const PROVIDER_VARIABLES = ["AWS_REGION", "AWS_DEFAULT_REGION"];

const NAMED_VARIABLE = /process\.env(?:\.(\w+)|\["(\w+)"\])/g;

/** An import of a module of Node's own. */
const BUILTIN = /from "(node:[\w/]+)"/g;

/** An import through which a module could read a setting while it is loaded. */
const SETTINGS_IMPORT = /"(?:@pulumi\/|(?:\.\.?\/)+(?:config"|components\/))/;

const requireModule = createRequire(__filename);

const { isCaptured } = requireModule("../tooling/transpiler.js") as {
  isCaptured: (file: string) => boolean;
};

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

/** The program, as far as the cache looks at it. */
export interface Program {
  /** Of the sources of all of it, of what is installed, and of Node. */
  key: string;
  /** What its files were like before any was read. */
  states: Record<string, string>;
  /** Of the stack's settings. */
  settings: string;
  /** Whether a module that handlers are made of could itself read a setting while it is loaded. */
  handlersReadSettings: boolean;
  /** Names what handlers' modules export: the same in each load of the same sources. */
  nameOf: (value: object) => string | undefined;
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
  const sources = [...new Set([...programFiles(), ...modules])].sort();
  // First: what is saved from now on is another state.
  const states = statesOf(sources);
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
  const environment = [...variables].sort().map((name) => [name, process.env[name] ?? null]);
  hash.update(JSON.stringify([process.version, process.cwd(), environment]));
  return {
    key: hash.digest("hex"),
    states,
    settings: JSON.stringify([
      pulumi.getProject(),
      pulumi.getStack(),
      Object.entries(pulumi.runtime.allConfig()).sort(),
    ]),
    handlersReadSettings,
    nameOf: namesOf(handlerModules, builtins),
  };
}

/** What decides on one Lambda's bundle; undefined where that is not known. */
export function keyOf(
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
