import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { ImportedModule, SerializedCallback } from "./bundleCache";
import { dynamicImports } from "./dynamicImports";
import { fileOf } from "./inspector";
import { refuseLossyCaptures, refuseLostAssignments } from "./refusedCaptures";
import { type AnyNode, syntaxTree } from "./syntaxTree";

/** The last line of Pulumi's text, which calls the factory. */
const EXPORT = /\nexports\.handler = (\w+\(\);)$/;

/** Pulumi's error names, among much else, the variable that the callback captures. */
function shortened(error: unknown): Error {
  const { message } = error as Error;
  const [, variable] = /\b(?:variable|module) '([^']+)'/.exec(message) ?? [];
  if (variable !== undefined) {
    return new Error(`it captures "${variable}", which cannot be serialized.`, { cause: error });
  }
  return message.includes("captured 'this'")
    ? new Error('it uses "this" of the code around it.', { cause: error })
    : (error as Error);
}

function parsed(text: string): AnyNode {
  try {
    return syntaxTree(text);
  } catch (error) {
    // Such as of a class with private fields, of which Pulumi writes each method alone.
    const reason = (error as Error).message.replace(/ \(\d+:\d+\)$/, "");
    throw new Error(`it captures code that cannot be serialized: ${reason}.`, { cause: error });
  }
}

/** A name that a text does not have. */
function unusedName(text: string): string {
  let name = "__modules";
  while (text.includes(name)) {
    name += "_";
  }
  return name;
}

function importsModules(code: string): boolean {
  // A function or class; a method has no meaning alone.
  const expression = /^(?:async\b|function\b|class\b|\(|[\w$]+ *=>)/.test(code)
    ? code
    : `{${code}}`;
  try {
    return dynamicImports(syntaxTree(`(${expression})`), code).length > 0;
  } catch {
    // Whatever it is, Pulumi's text has it, too.
    return code.includes("import");
  }
}

/** The folders of the functions that import. Nothing in Pulumi's text says which function is of which file. */
function importingFolders(captured: Iterable<unknown>): string[] {
  const functions = [...captured].filter((value) => typeof value === "function");
  const importing = functions.filter((fn) => importsModules(fn.toString()));
  const folders = importing.map((fn) => {
    const file = fileOf(fn);
    if (file === undefined || !path.isAbsolute(file)) {
      throw new Error("it has an import() in code of no file, which nothing can be imported from.");
    }
    return path.dirname(file);
  });
  return [...new Set(folders)];
}

/**
 * Serializes a callback factory with all that it captures. What it imports by `import("./module.ts")` remains
 * a module.
 *
 * @throws when something captured cannot be serialized; the message names it
 */
export async function serialize(callbackFactory: () => unknown): Promise<SerializedCallback> {
  const captured = new Set<unknown>([callbackFactory]);
  const options = {
    isFactoryFunction: true,
    exportName: "handler",
    serialize: (value: unknown) => {
      captured.add(value);
      return true;
    },
  };
  const serialized = pulumi.runtime.serializeFunction(callbackFactory, options);
  const { text } = await serialized.catch((error: unknown) => {
    throw shortened(error);
  });
  refuseLossyCaptures(text);
  if (!EXPORT.test(text)) {
    throw new Error("Pulumi's serializer has written the call of the factory in another form.");
  }
  const tree = parsed(text);
  refuseLostAssignments(tree);
  const imports = dynamicImports(tree, text);
  const [folder, ...otherFolders] = imports.length > 0 ? importingFolders(captured) : [];
  if (otherFolders.length > 0) {
    const folders = [folder, ...otherFolders].join(", ");
    throw new Error(`it has import() in files of several folders, ${folders}: have all in one.`);
  }

  const modules = new Map<string, ImportedModule>();
  for (const { specifier, names } of imports) {
    const { names: others } = modules.get(specifier) ?? { names: [] };
    const all = names && others && [...new Set([...others, ...names])];
    modules.set(specifier, { specifier, names: all });
  }
  const list = unusedName(text);
  let body = text.replace(EXPORT, "\nreturn $1");
  for (const { specifier, start, end } of imports.reverse()) {
    const imported = `Promise.resolve(${list}[${[...modules.keys()].indexOf(specifier)}])`;
    body = body.slice(0, start) + imported + body.slice(end);
  }
  return {
    text: `module.exports = (${list}) => {\n${body}\n};\n`,
    modules: [...modules.values()],
    folder,
  };
}
