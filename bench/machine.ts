import { readFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { PROGRAM_DIR } from "../start/programDir";

/** Packages whose version affects a figure. */
const PACKAGES = [
  "@aws-sdk/client-dynamodb",
  "@aws-sdk/client-s3",
  "@pulumi/aws",
  "@pulumi/awsx",
  "@pulumi/pulumi",
  "dynalite",
  "esbuild",
  "fauxqs",
  "typescript",
];

function versionOf(packageName: string): string {
  const file = path.join(PROGRAM_DIR, "node_modules", packageName, "package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function systemName(): string {
  return `${os.type()} ${os.release()} ${os.arch()}`;
}

/** The date, the machine and the versions of a measurement: one Markdown list item a line. */
export function machineLines(now = new Date()): string[] {
  const cpus = os.cpus();
  const memoryGb = (os.totalmem() / 1e9).toFixed(1);
  const cores = `${cpus.length} ${cpus.length === 1 ? "core" : "cores"}`;
  return [
    `- Measured: ${now.toISOString().slice(0, 10)}`,
    `- Machine: ${cores} (${cpus[0]?.model.trim() ?? "unknown"}), ${memoryGb} GB, ${systemName()}`,
    `- Node.js ${process.version}`,
    `- Packages: ${PACKAGES.map((name) => `${name} ${versionOf(name)}`).join(", ")}`,
  ];
}
