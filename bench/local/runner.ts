import { fork } from "node:child_process";
import { once } from "node:events";
import * as path from "node:path";
import { PROGRAM_DIR } from "../../start/programDir";
import { startNodeOptions } from "../../testing/startScript";
import type { RunnerJob, RunnerMessage } from "./child";

/** A local run in a process of its own. */
export interface Runner {
  uploadUrl: string;
  /** Resolves when this many uploads are `notified`; rejects when the run reports an error. */
  notified(count: number): Promise<void>;
  /** Resolves when this many mails are sent; rejects when the run reports an error. */
  mailed(count: number): Promise<void>;
  /** Mails so far. */
  mails(): number;
  /** Stops the run, and resolves with the peak memory of its process in bytes. */
  stop(): Promise<number>;
  /** Kills the process, if it still runs. */
  kill(): void;
}

type Counted = "notified" | "mail";

function counters() {
  const counts: Record<Counted, number> = { notified: 0, mail: 0 };
  let failure: Error | undefined;
  let changed = Promise.withResolvers<undefined>();
  const wake = () => {
    changed.resolve(undefined);
    changed = Promise.withResolvers();
  };
  return {
    counts,
    add(type: Counted) {
      counts[type] += 1;
      wake();
    },
    fail(error: Error) {
      failure ??= error;
      wake();
    },
    async reach(type: Counted, count: number): Promise<void> {
      while (counts[type] < count) {
        if (failure) {
          throw failure;
        }
        await changed.promise;
      }
    },
  };
}

/**
 * Starts the program in a fresh process.
 *
 * @throws when the process ends before it is ready
 */
export async function startRunner(job: RunnerJob): Promise<Runner> {
  const child = fork(path.join(__dirname, "child.ts"), [JSON.stringify(job)], {
    cwd: PROGRAM_DIR,
    execArgv: startNodeOptions(),
    // Standard output is for the bench's results only.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const counter = counters();
  const ready = Promise.withResolvers<Extract<RunnerMessage, { type: "ready" }>>();
  const stopped = Promise.withResolvers<number>();
  // A rejection before its await is not unhandled.
  ready.promise.catch(() => undefined);
  stopped.promise.catch(() => undefined);
  child.on("message", (received) => {
    const message = received as RunnerMessage;
    if (message.type === "ready") {
      ready.resolve(message);
    } else if (message.type === "stopped") {
      stopped.resolve(message.peakBytes);
    } else if (message.type === "error") {
      counter.fail(new Error(`The local run has failed: ${message.message}`));
    } else {
      counter.add(message.type);
    }
  });
  child.once("exit", (code, signal) => {
    const error = new Error(`The local run has ended with ${signal ?? code ?? "no code"}.`);
    ready.reject(error);
    stopped.reject(error);
    counter.fail(error);
  });
  const { uploadUrl } = await ready.promise;
  return {
    uploadUrl,
    notified: (count) => counter.reach("notified", count),
    mailed: (count) => counter.reach("mail", count),
    mails: () => counter.counts.mail,
    async stop() {
      const gone = once(child, "exit");
      child.send("stop");
      const peakBytes = await stopped.promise;
      await gone;
      return peakBytes;
    },
    kill: () => child.kill("SIGKILL"),
  };
}

/** Starts a run, passes it to `use`, and stops it. */
export async function withRunner<T>(
  job: RunnerJob,
  use: (runner: Runner) => Promise<T>,
): Promise<T & { peakMb: number }> {
  const runner = await startRunner(job);
  try {
    const result = await use(runner);
    return { ...result, peakMb: (await runner.stop()) / 1e6 };
  } finally {
    runner.kill();
  }
}
