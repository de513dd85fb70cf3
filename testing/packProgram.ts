/**
 * Packs the Lambdas of the program that this file is part of a copy of, in a process of its own. Each
 * argument is the folder of a bundle cache, or `none`: the program is loaded anew for each. Prints a
 * list as JSON: for each argument the SHA-256 of each Lambda.
 */
import { createHash } from "node:crypto";
import * as esbuild from "esbuild";
import { packagesOf, recordProgram } from "./recordingMocks";

async function hashesBy(folder: string): Promise<Record<string, string>> {
  const recording = await recordProgram({}, { bundleCache: folder === "none" ? null : folder });
  const failure = recording.error ?? recording.rejections[0];
  if (failure !== undefined) {
    throw new Error("The program cannot be loaded.", { cause: failure });
  }
  const hashes: Record<string, string> = {};
  for (const [name, files] of await packagesOf(recording)) {
    hashes[name] = createHash("sha256").update(JSON.stringify(files)).digest("hex");
  }
  return hashes;
}

async function main(folders: string[]): Promise<void> {
  const hashes: Record<string, string>[] = [];
  for (const folder of folders) {
    hashes.push(await hashesBy(folder));
  }
  await esbuild.stop();
  process.stdout.write(JSON.stringify(hashes));
}

void main(process.argv.slice(2));
