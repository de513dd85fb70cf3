import * as path from "node:path";

/** The program's folder, with index.ts and Pulumi.yaml in it. */
export const PROGRAM_DIR = path.resolve(__dirname, "..");
