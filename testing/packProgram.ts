/**
 * Packs the Lambdas of the program that this file is part of a copy of, in a process of its own, and
 * prints the SHA-256 of each as JSON. Its argument is the folder of the bundle cache, or `none`.
 */
import { createHash } from "node:crypto";
import * as esbuild from "esbuild";
import { packagesOf, recordProgram } from "./recordingMocks";

async function main(folder: string): Promise<void> {
  const recording = await recordProgram({}, { bundleCache: folder === "none" ? null : folder });
  const failure = recording.error ?? recording.rejections[0];
  if (failure !== undefined) {
    throw new Error("The program cannot be loaded.", { cause: failure });
  }
  const hashes: Record<string, string> = {};
  for (const [name, files] of await packagesOf(recording)) {
    hashes[name] = createHash("sha256").update(JSON.stringify(files)).digest("hex");
  }
  await esbuild.stop();
  process.stdout.write(JSON.stringify(hashes));
}

void main(process.argv[2] ?? "none");
