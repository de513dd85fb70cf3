import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { PROGRAM_DIR } from "../../start/programDir";

/** Milliseconds from the command to its line `ready`. */
async function startOnce(temporaryDir: string): Promise<number> {
  const startedAt = performance.now();
  const npm = spawn("npm", ["start", "--silent", "--", "--port", "0", "--json"], {
    cwd: PROGRAM_DIR,
    // Node's compile cache is in TMPDIR.
    env: { ...process.env, TMPDIR: temporaryDir },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(npm, "exit");
  // What npm has started may end later, and removes its files until then.
  const closed = once(npm, "close");
  try {
    await Promise.race([
      once(npm.stdout, "data"),
      gone.then(([code]) => {
        throw new Error(`npm start has ended with ${String(code)} before it was ready.`);
      }),
    ]);
    return performance.now() - startedAt;
  } finally {
    npm.stdout.resume();
    npm.kill("SIGTERM");
    await closed;
  }
}

async function inTemporaryDir<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(path.join(tmpdir(), "bench-local-"));
  try {
    return await use(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Milliseconds of two starts of `npm start`: with an empty compile cache, and with a filled one. */
export async function measureStart(): Promise<{ coldMs: number; warmMs: number }> {
  return inTemporaryDir(async (dir) => ({
    coldMs: await startOnce(dir),
    warmMs: await startOnce(dir),
  }));
}
