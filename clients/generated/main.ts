/**
 * Generates clients from the API's description, and makes the whole round with each.
 *
 *     npm run clients:generated -- --only go,java
 */
import { runClients } from "../run";
import { SUITES } from "./suites";

void runClients({
  name: "clients:generated",
  description:
    "Generates clients from /openapi.json and uses them against a local run. " +
    "clients/generated/install installs the generators.",
  suites: SUITES,
});
