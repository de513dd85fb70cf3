// `npm test`: the checks, and beside them all tests, since the checks alone keep no two processors busy.
// What the checks print comes first. Options are Mocha's, such as `npm test -- --grep identity`.
"use strict";

const path = require("node:path");
const { fileOf } = require("./check");
const { runTogether } = require("./runTogether");

const ROOT = path.resolve(__dirname, "..");

const TESTS = ["test/**/*.test.ts", "packages/*/test/**/*.test.ts"];

const colors = process.stdout.isTTY ? ["--color"] : [];

void runTogether(
  [
    [process.execPath, path.join(__dirname, "check.js")],
    [process.execPath, fileOf("mocha"), ...colors, ...process.argv.slice(2), ...TESTS],
  ],
  { cwd: ROOT },
).then(([checks, tests]) => {
  if (checks !== 0) {
    process.stderr.write("The checks have failed: what they found is above the tests.\n");
  }
  process.exitCode = checks || tests;
});
