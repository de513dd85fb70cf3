import { readdirSync } from "node:fs";
import * as path from "node:path";
import * as localProgram from "local-aws/program";
import { PROGRAM_DIR } from "./programDir";

/** The program's modules that register resources, and so are loaded again for each run. */
export const PROGRAM_MODULES = ["index.ts", "config.ts", "components"];

/** All of the program's own files and folders. */
export const PROGRAM_SOURCES = [
  ...PROGRAM_MODULES,
  "console",
  "events",
  "handlers",
  "runtime",
  "store",
];

/** Packs Lambdas, and registers nothing: an evaluation of the changed program uses it again. */
export const PACKING = "components/lambda";

/** The modules that an evaluation of the changed program loads again. */
export function changingModules(): string[] {
  return PROGRAM_SOURCES.flatMap((name) =>
    name === "components"
      ? readdirSync(path.join(PROGRAM_DIR, name)).map((part) => `${name}/${part}`)
      : name,
  )
    .filter((name) => name !== PACKING)
    .map((name) => path.normalize(name));
}

/** Makes the program's next load register its resources again. */
export function forgetProgram(): void {
  localProgram.forgetModules(PROGRAM_DIR, PROGRAM_MODULES);
}

/** The project's name, as Pulumi.yaml gives it. */
export function projectName(): string {
  return localProgram.projectName(PROGRAM_DIR);
}

/** The settings of the stack `dev` under the ones given, by full name. */
export function stackConfig(settings: Record<string, string>): Record<string, string> {
  return localProgram.stackConfig(PROGRAM_DIR, settings);
}
