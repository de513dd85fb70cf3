import { randomUUID } from "node:crypto";
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Sleep } from "../../http/retries";

const POLL_MS = 1000;

const HEARTBEAT_MS = 5000;

/** Without a heartbeat for so long, the holder is gone, or stopped. */
const STALE_MS = 30_000;

interface Holder {
  pid?: number;
  host?: string;
  id?: string;
}

function holderOf(file: string): Holder {
  try {
    return { ...(JSON.parse(readFileSync(file, "utf8")) as Holder) };
  } catch {
    return {};
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Of another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function isStale(file: string, { pid, host }: Holder): boolean {
  const beat = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  const isDead = host === hostname() && pid !== undefined && !isRunning(pid);
  return isDead || (beat !== undefined && Date.now() - beat > STALE_MS);
}

/** @returns whether the file was made; false where another process has one */
function make(file: string, id: string): boolean {
  const holder: Holder = { pid: process.pid, host: hostname(), id };
  try {
    writeFileSync(file, JSON.stringify(holder), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      return false;
    }
    throw error;
  }
}

/**
 * Holds a lock file, once no running process holds it. It only spares work: after a holder that was
 * stopped for long, two may go on at once.
 *
 * @param onWait called once with the holder's process id, before the wait
 * @returns a function that gives it back
 */
export async function lockFile(
  file: string,
  wait: Sleep,
  onWait: (pid: number | undefined) => void,
): Promise<() => void> {
  const id = randomUUID();
  for (let waited = false; !make(file, id);) {
    const holder = holderOf(file);
    if (isStale(file, holder)) {
      rmSync(file, { force: true });
      continue;
    }
    if (!waited) {
      waited = true;
      onWait(holder.pid);
    }
    await wait(POLL_MS);
  }
  const heartbeat = setInterval(() => {
    try {
      utimesSync(file, new Date(), new Date());
    } catch {
      // Somebody has removed it.
    }
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return () => {
    clearInterval(heartbeat);
    if (holderOf(file).id === id) {
      rmSync(file, { force: true });
    }
  };
}
