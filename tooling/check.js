// Types, lint, format and architecture, beside each other: none depends on another's result.
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

/** By the name of a tool, the package that has it. */
const PACKAGES = { tsc: "typescript", depcruise: "dependency-cruiser" };

/** By what each checks: a tool and its arguments. */
const CHECKS = {
  types: ["tsc", "-p", "."],
  lint: ["eslint", "."],
  format: [
    "prettier",
    "--check",
    "--log-level=warn",
    "--cache",
    "--cache-location",
    `${CACHE}/format.json`,
    ".",
  ],
  architecture: ["depcruise", "--config", ".dependency-cruiser.cjs", ...ROOMS],
};

/** The file of a tool. What node_modules/.bin has for it is no program on Windows. */
function fileOf(tool) {
  const folder = path.join(ROOT, "node_modules", PACKAGES[tool] ?? tool);
  const { bin } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  return path.join(folder, typeof bin === "string" ? bin : bin[tool]);
}

/** Runs one tool to its end, and prints what it found. Resolves with whether it found nothing. */
function check([name, [tool, ...args]]) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [fileOf(tool), ...args], { cwd: ROOT });
    const output = [];
    child.stdout.on("data", (chunk) => output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    child.on("error", (error) => output.push(Buffer.from(`${error.message}\n`)));
    child.on("close", (code) => {
      console.log(`${name}: ${code === 0 ? "passed" : `failed (${tool})`}`);
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

module.exports = { ROOMS };
