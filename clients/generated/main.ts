/**
 * Generates clients from the API's description, and makes the whole round with each.
 *
 *     npm run clients:generated -- --only go,java
 */
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { findCommand } from "../command";
import { runClients } from "../run";
import { SUITES } from "./suites";

/** Without bash, the suites name what is not installed. */
function install(): void {
  if (findCommand("bash") === undefined) {
    return;
  }
  const { status } = spawnSync("bash", [path.join(__dirname, "install")], { stdio: "inherit" });
  if (status !== 0) {
    throw new Error("clients/generated/install has failed; the reason is above.");
  }
}

void runClients({
  name: "clients:generated",
  description:
    "Installs generators, generates clients from /openapi.json, and uses them against a local run.",
  suites: SUITES,
  install,
});
