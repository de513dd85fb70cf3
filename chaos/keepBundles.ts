/**
 * Loads the program once, so that its bundles are in the cache: a process that makes them itself holds
 * some 70 MB more until its end. Started by chaos/main.ts.
 */
import * as esbuild from "esbuild";
import { packagesOf, recordProgram } from "../testing/recordingMocks";

async function main(): Promise<void> {
  await packagesOf(await recordProgram());
  await esbuild.stop();
}

void main();
