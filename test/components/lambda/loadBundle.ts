import { createRequire, isBuiltin } from "node:module";
import { bundle } from "../../../components/lambda/bundle";
import { PROGRAM_DIR } from "../../../start/programDir";

/** @param text of an ES module that exports `handler`, or a promise of it */
export async function bundled(text: string | Promise<string>): Promise<string> {
  const callback = Promise.resolve(text).then((module) => ({
    text: `${module}\nexport default () => handler;`,
    modules: [],
    folder: PROGRAM_DIR,
  }));
  return (await bundle(callback)).text;
}

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
