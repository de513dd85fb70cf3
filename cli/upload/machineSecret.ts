import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";

/** Of this process, where no file can be kept: a repeated command then uploads again. */
let unsaved: string | undefined;

function fileOf(): string {
  const given = process.env.XDG_CONFIG_HOME ?? "";
  const folder = given === "" ? path.join(homedir(), ".config") : given;
  return path.join(folder, "s3-uploader", "secret");
}

/** A secret of this user on this machine: made at the first call, and kept in the settings' folder. */
export function machineSecret(): string {
  const file = fileOf();
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    // Of several commands that start at once, one makes the file.
    writeFileSync(file, randomBytes(32).toString("hex"), { flag: "wx", mode: 0o600 });
  } catch {
    // It exists, or cannot be made.
  }
  try {
    const secret = readFileSync(file, "utf8").trim();
    if (secret !== "") {
      return secret;
    }
  } catch {
    // As below.
  }
  unsaved ??= randomBytes(32).toString("hex");
  return unsaved;
}
