import { createRequire, isBuiltin } from "node:module";

const requireModule = createRequire(__filename);

export interface Exports {
  handler(): Promise<unknown>;
}

/** Loads a bundle that can require Node's own modules only. */
export function load(text: string): Exports {
  const module = { exports: {} as Exports };
  const requireBuiltin = (name: string): unknown => {
    if (!isBuiltin(name)) {
      throw new Error(`The bundle requires ${name}.`);
    }
    return requireModule(name);
  };
  // A bundle is text, to be compiled.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  new Function("module", "exports", "require", text)(module, module.exports, requireBuiltin);
  return module.exports;
}
