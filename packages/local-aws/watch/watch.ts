import { type ChildProcess, fork } from "node:child_process";
import * as path from "node:path";
import { watch as watchFiles } from "chokidar";
import { logicalName } from "../faults/faults";
import type { FunctionUpdate } from "../lambda/host";
import { settingsOf } from "../lambda/resources";
import type { Evaluation, Request } from "./messages";

/** How a run follows changes of its program. */
export interface WatchOptions {
  /**
   * Absolute path of the module that evaluates the program in a process of its own: it calls
   * `serveEvaluations`.
   */
  evaluator: string;
  /** Files and folders that the program is made of, by name in its folder. */
  files: string[];
  /** As the run's option, for an evaluation. @default `files` */
  modules?: string[];
  /** Files and folders that are read at the start only. @default none */
  startFiles?: string[];
}

/** What became of saved changes. */
export type Reload =
  | {
      type: "reload";
      /** The functions that have new code or settings, by their names in the program. */
      functions: string[];
      /** Changes that need a restart: resources such as `aws.sqs.Queue "letters"`, and start files. */
      restartFor: string[];
      /** From the last save until new invocations get the new code. */
      milliseconds: number;
    }
  /** The run goes on with what it has; the message names file and line where they are known. */
  | { type: "reloadFailed"; message: string };

export interface WatchParts {
  start: Extract<Request, { type: "start" }>;
  updateFunction(functionName: string, update: FunctionUpdate): Promise<void>;
  onReload(reload: Reload): void;
}

/** Milliseconds without another change: several files are often saved together. */
const QUIET_MS = 40;

const isIn = (name: string, file: string) => name === file || name.startsWith(file + path.sep);

/** Evaluates the program when its files change, and updates its functions. */
export function watchProgram(
  { evaluator, files, startFiles = [] }: WatchOptions,
  parts: WatchParts,
): { close(): Promise<void> } {
  const { start } = parts;
  const { programDir } = start.program;
  let child: ChildProcess | undefined;
  let isEvaluating = false;
  let isChanged = false;
  /** Whether the last evaluation was. */
  let applied = false;
  let closed = false;
  let quiet: NodeJS.Timeout | undefined;
  let savedAt = 0;
  /** Start files that have changed since the start, and not been told of. */
  const changedStartFiles = new Set<string>();
  let told = "";

  function request(message: Request): void {
    isEvaluating = true;
    child?.send(message);
  }

  function open(): void {
    const opened = fork(evaluator, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    let errors = "";
    opened.stderr?.on(
      "data",
      (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)),
    );
    opened.on("message", (evaluation: Evaluation) => {
      void apply(evaluation).then(next);
    });
    opened.on("exit", () => {
      child = undefined;
      isEvaluating = false;
      if (!closed) {
        parts.onReload({
          type: "reloadFailed",
          message: `The evaluation has ended: ${errors.trim()}`,
        });
      }
    });
    child = opened;
    request(start);
  }

  function next(): void {
    isEvaluating = false;
    if (isChanged) {
      evaluate();
    }
  }

  function evaluate(): void {
    isChanged = isEvaluating;
    if (isEvaluating || closed) {
      return;
    }
    if (child) {
      request({ type: "evaluate", applied });
    } else {
      open();
    }
  }

  async function apply(evaluation: Evaluation): Promise<void> {
    applied = false;
    // It saw an older state of the files; the next one is about to start.
    if (closed || isChanged) {
      return;
    }
    if (evaluation.type === "failed") {
      parts.onReload({ type: "reloadFailed", message: evaluation.message });
      return;
    }
    const { functions, others } = evaluation;
    try {
      for (const { functionName, inputs, files: code, sourceMaps } of functions) {
        await parts.updateFunction(functionName, {
          files: code,
          sourceMaps,
          ...settingsOf(inputs),
        });
      }
    } catch (error) {
      parts.onReload({ type: "reloadFailed", message: (error as Error).message });
      return;
    }
    applied = true;
    const restartFor = [...changedStartFiles, ...others];
    const isNews = savedAt > 0 || functions.length > 0;
    if (isNews) {
      parts.onReload({
        type: "reload",
        functions: functions.map(({ functionName }) => logicalName(functionName)),
        restartFor: told === restartFor.join() ? [] : restartFor,
        milliseconds: savedAt > 0 ? Math.round(performance.now() - savedAt) : 0,
      });
      told = restartFor.join();
    }
  }

  const watcher = watchFiles([...files, ...startFiles], {
    cwd: programDir,
    ignored: (name) => path.basename(name) === "node_modules",
    ignoreInitial: true,
  });
  watcher.on("all", (_event, name) => {
    const changed = startFiles.map((file) => path.normalize(file)).find((file) => isIn(name, file));
    if (changed !== undefined) {
      changedStartFiles.add(changed);
    }
    savedAt = performance.now();
    clearTimeout(quiet);
    quiet = setTimeout(evaluate, QUIET_MS);
  });
  open();

  return {
    async close() {
      closed = true;
      clearTimeout(quiet);
      child?.kill("SIGKILL");
      await watcher.close();
    },
  };
}
