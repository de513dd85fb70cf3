/**
 * Loads the program once, so that its compiled files and bundles are in the caches: a process that makes
 * them itself holds some 100 MB more until its end. The script `chaos` runs it before chaos/main.ts.
 */
import * as esbuild from "esbuild";
import { packagesOf, recordProgram } from "../testing/recordingMocks";

async function main(): Promise<void> {
  await packagesOf(await recordProgram());
  await esbuild.stop();
}

void main();
