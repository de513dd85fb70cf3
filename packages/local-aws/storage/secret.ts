import { createHmac, randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What a run's names and keys are derived from, so that nobody can guess them. */
export interface RunSecret {
  /** 32 bytes, always the same for one purpose; those of another say nothing about them. */
  derive(purpose: string): Buffer;
}

const BYTES = 32;

/**
 * @param dataDir keeps the secret for the next runs. Nobody else may have it open. Without it each
 *   run has another one.
 */
export function openSecret(dataDir: string | undefined): RunSecret {
  const secret = dataDir === undefined ? randomBytes(BYTES) : keptIn(join(dataDir, "secret"));
  return { derive: (purpose) => createHmac("sha256", secret).update(purpose).digest() };
}

function keptIn(file: string): Buffer {
  const kept = existsSync(file) ? Buffer.from(readFileSync(file, "latin1"), "hex") : undefined;
  if (kept?.length === BYTES) {
    return kept;
  }
  const secret = randomBytes(BYTES);
  writeFileSync(`${file}.new`, secret.toString("hex"), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return secret;
}
