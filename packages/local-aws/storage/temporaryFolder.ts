import { createHash } from "node:crypto";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { StartError } from "../startError";

const PREFIX = "local-aws-";

/** Whose a folder is: the place of the process, its id, and when it started. */
const NAME = /^local-aws-([0-9a-f]{8})-(\d+)-(\d+)-/;

/**
 * Makes a run's folder for temporary files. Its name tells whose it is, since a process that is
 * killed leaves it behind.
 *
 * @throws StartError if the system's temporary folder cannot be written to
 */
export function makeTemporaryFolder(): string {
  const { pid } = process;
  const name = `${PREFIX}${place()}-${pid}-${startOf(pid) ?? 0}-`;
  try {
    return mkdtempSync(join(tmpdir(), name));
  } catch (error) {
    throw new StartError(
      `The folder for temporary files, ${tmpdir()}, cannot be written to: ` +
        `${(error as Error).message}. Set TMPDIR to another one.`,
    );
  }
}

/** Removes what killed runs of this user left behind. Never rejects. */
export async function removeOrphans(): Promise<void> {
  try {
    const orphans = readdirSync(tmpdir()).filter(isOrphan);
    await Promise.all(orphans.map((name) => rm(join(tmpdir(), name), { recursive: true })));
  } catch {
    // Another start removes them at the same time, or the next one will.
  }
}

function isOrphan(name: string): boolean {
  const [, where, pid, start] = NAME.exec(name) ?? [];
  if (where !== place()) {
    return false;
  }
  const stats = lstatSync(join(tmpdir(), name));
  const isOwn = stats.isDirectory() && stats.uid === (process.getuid?.() ?? stats.uid);
  const startOfOwner = startOf(Number(pid));
  return isOwn && (startOfOwner === undefined || String(startOfOwner) !== start);
}

/** Where process ids mean the same: containers may share the folder, and have ids of their own. */
function place(): string {
  let text = hostname();
  try {
    text = readFileSync("/proc/sys/kernel/random/boot_id", "latin1") + readlinkSync(PID_NAMESPACE);
  } catch {
    // Only Linux has these.
  }
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

const PID_NAMESPACE = "/proc/self/ns/pid";

/**
 * When a process started, in clock ticks since the boot, or 0 where that cannot be read; undefined
 * if there is no such process.
 */
function startOf(pid: number): number | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") {
      return undefined;
    }
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The 22nd field; the second one, the command in parentheses, may hold spaces.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  } catch {
    return 0;
  }
}
