// Types and lint, format, and architecture, beside each other: none depends on another's result.
"use strict";

const { spawn } = require("node:child_process");
const { readFileSync } = require("node:fs");
const path = require("node:path");

const ROOT = path.resolve(__dirname, "..");

/** Where tools keep what speeds up their next run; `npm ci` empties it. */
const CACHE = "node_modules/.cache/check";

const ROOMS = [
  "index.ts",
  "config.ts",
  "bench",
  "chaos",
  "cli",
  "clients",
  "components",
  "console",
  "events",
  "handlers",
  "packages",
  "runtime",
  "scripts",
  "start",
  "store",
  "test",
  "testing",
  "tooling",
];

/** The file of a package's tool. What node_modules/.bin has for it is no program on Windows. */
function fileOf(name, tool = name) {
  const folder = path.join(ROOT, "node_modules", name);
  const { bin } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  return path.join(folder, typeof bin === "string" ? bin : bin[tool]);
}

/** By what each checks: a file for Node and its arguments. */
const CHECKS = {
  "types and lint": [path.join(__dirname, "typesAndLint.mjs")],
  format: [
    fileOf("prettier"),
    "--check",
    "--log-level=warn",
    "--cache",
    "--cache-location",
    `${CACHE}/format.json`,
    ".",
  ],
  architecture: [
    fileOf("dependency-cruiser", "depcruise"),
    "--config",
    ".dependency-cruiser.cjs",
    ...ROOMS,
  ],
};

/** Runs one check to its end, and prints what it found. Resolves with whether it found nothing. */
function check([name, command]) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, command, { cwd: ROOT });
    const output = [];
    child.stdout.on("data", (chunk) => output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    child.on("error", (error) => output.push(Buffer.from(`${error.message}\n`)));
    child.on("close", (code) => {
      console.log(`${name}: ${code === 0 ? "passed" : "failed"}`);
      if (code !== 0) {
        process.stdout.write(Buffer.concat(output));
      }
      resolve(code === 0);
    });
  });
}

async function main() {
  const passed = await Promise.all(Object.entries(CHECKS).map(check));
  process.exitCode = passed.every(Boolean) ? 0 : 1;
}

if (require.main === module) {
  void main();
}

module.exports = { ROOMS, fileOf };
