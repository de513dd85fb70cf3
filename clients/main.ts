/**
 * Runs AWS clients, as people use them, against a local run.
 *
 *     npm run clients -- --only rclone,go
 */
import { runClients } from "./run";
import { SUITES } from "./suites";

void runClients({
  name: "clients",
  description: "Runs real AWS clients against a local run. clients/install installs them.",
  suites: SUITES,
});
