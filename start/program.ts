import * as localProgram from "local-aws/program";
import { PROGRAM_DIR } from "./programDir";

/** What of the program registers resources, and so is loaded anew for each run. */
export const PROGRAM_MODULES = ["index.ts", "config.ts", "components"];

/** Has the program's resources registered again by its next load. */
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
