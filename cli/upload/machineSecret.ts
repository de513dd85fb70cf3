import { randomBytes } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";

/** Of this process, where no file can be kept: a repeated command then uploads again. */
let unsaved: string | undefined;

function fileOf(): string {
  const given = process.env.XDG_CONFIG_HOME ?? "";
  const folder = given === "" ? path.join(homedir(), ".config") : given;
  return path.join(folder, "s3-uploader", "secret");
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

/** Makes the file, unless it exists: whole at once, as several commands may start together. */
function makeFile(file: string): void {
  const unfinished = `${file}.${process.pid}`;
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(unfinished, randomBytes(32).toString("hex"), { mode: 0o600 });
  try {
    linkSync(unfinished, file);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") {
      throw error;
    }
  } finally {
    rmSync(unfinished);
  }
}

/**
 * A secret of this user on this machine: made at the first call, and kept in the settings' folder.
 * Where none can be kept, a line on standard error says what that means.
 */
export function machineSecret(): string {
  if (unsaved !== undefined) {
    return unsaved;
  }
  const file = fileOf();
  try {
    if (!existsSync(file)) {
      makeFile(file);
    }
    return readFileSync(file, "utf8");
  } catch (error) {
    process.stderr.write(
      `The secret for repeated uploads cannot be kept in ${file} (${codeOf(error)}): the same file, ` +
        "sent again, is stored again.\n",
    );
    unsaved = randomBytes(32).toString("hex");
    return unsaved;
  }
}
