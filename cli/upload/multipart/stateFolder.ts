import { createHash, randomUUID } from "node:crypto";
import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import * as path from "node:path";
import { cacheFolder } from "../../cacheFolder";
import type { Sleep } from "../../http/retries";
import { lockFile } from "./fileLock";
import { readState, type UploadIdentity, type UploadState } from "./uploadState";

/** S3 removes the parts of an unfinished upload after 30 days. */
const UNFINISHED_MS = 30 * 86_400_000;

/** As long as an Idempotency-Key is valid. */
const STORED_MS = 86_400_000;

/** The state of the upload of one path to one manager, in a file of the user's cache folder. */
export interface StateFile {
  identity: UploadIdentity;
  /** False where the folder cannot be written to: nothing can be continued. */
  isKept: boolean;
  /** Undefined where there is none, or none that can be read. */
  read(): UploadState | undefined;
  /** Writes it whole, readable by this user alone. */
  write(state: UploadState): void;
  remove(): void;
  /**
   * Holds it against other commands, as soon as none of them holds it.
   *
   * @param onWait called once, before the wait, with the other command's process id
   * @returns a function that gives it back
   */
  lock(wait: Sleep, onWait: (pid?: number) => void): Promise<() => void>;
}

/** Removes the files of uploads that cannot be continued any more, and what killed commands left. */
function clean(folder: string): void {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    const changed = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    const isUnfinished = name.endsWith(".json") && readState(file)?.storedAt === undefined;
    if (Date.now() - changed > (isUnfinished ? UNFINISHED_MS : STORED_MS)) {
      rmSync(file, { force: true });
    }
  }
}

/** Of this process: what says that no state is kept is said once. */
let isReported = false;

/**
 * Where the folder cannot be written to, nothing is kept.
 *
 * @param notice then gets a line that says what that means
 */
export function openStateFile(identity: UploadIdentity, notice: (text: string) => void): StateFile {
  const folder = cacheFolder("uploads");
  const reportUnkept = (error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (!isReported) {
      isReported = true;
      notice(
        `The state of uploads cannot be kept in ${folder} (${code ?? String(error)}): a large file ` +
          "whose upload is interrupted is sent from its beginning again.",
      );
    }
  };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    clean(folder);
  } catch (error) {
    reportUnkept(error);
    const ignore = () => undefined;
    const lock = () => Promise.resolve(ignore);
    return { identity, isKept: false, read: ignore, write: ignore, remove: ignore, lock };
  }
  const place = JSON.stringify([identity.managerUrl, identity.path]);
  const base = path.join(folder, createHash("sha256").update(place).digest("hex"));
  const file = `${base}.json`;
  return {
    identity,
    isKept: true,
    read: () => readState(file),
    write: (state) => {
      const unfinished = `${base}.${randomUUID()}`;
      try {
        writeFileSync(unfinished, JSON.stringify(state), { mode: 0o600 });
        renameSync(unfinished, file);
      } catch (error) {
        reportUnkept(error);
      }
    },
    remove: () => {
      rmSync(file, { force: true });
    },
    lock: (wait, onWait) => lockFile(`${base}.lock`, wait, onWait),
  };
}
