import * as path from "node:path";
import type { DiskEntry } from "../lambda/deploymentPackage";
import { createEvaluation } from "./evaluate";
import type { Evaluation, Request } from "./messages";

/** How a process evaluates a program. */
export interface EvaluationOptions {
  /** As the run's option. */
  sourceMapOf(code: string): string | DiskEntry | undefined;
}

/** A line of a stack that names a file of the program, such as `handlers/a.ts:1:2`. */
function placeIn(programDir: string, stack: string): string | undefined {
  for (const [, file = "", place = ""] of stack.matchAll(/(?:\(|at )([^()\n]+?):(\d+:\d+)\)?$/gm)) {
    const name = path.relative(programDir, file);
    const isBelow = !name.startsWith("..") && !path.isAbsolute(name);
    // Node's own are relative, such as node:fs.
    if (path.isAbsolute(file) && isBelow && !name.includes("node_modules")) {
      return `${name}:${place}`;
    }
  }
  return undefined;
}

/** Lines of an error's message that are shown. */
const MAX_LINES = 5;

/** What Pulumi writes before the program's own error. */
const PREFIX = /^(?:error serializing property "\w+": )+/;

/** The error in a few lines: what Node and Pulumi write below it is of no use here. */
function explain(error: unknown, programDir: string): string {
  const { message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  const [text = ""] = message.replace(PREFIX, "").split(/\nRequire stack:|\n+Function code:/);
  const [first = "", ...others] = text.split("\n").filter((line) => line.trim() !== "");
  const lines = [first, ...others.slice(1 - MAX_LINES)];
  const isPlaced = PREFIX.test(message) || /^\S+:\d+:\d+: /.test(first);
  const place = isPlaced ? undefined : placeIn(programDir, stack);
  return (place === undefined ? "" : `${place}: `) + lines.join("\n");
}

/**
 * Evaluates a program for the run that has started this process (the run's option `watch`), until that
 * run ends.
 */
export function serveEvaluations(options: EvaluationOptions): void {
  let evaluate: ReturnType<typeof createEvaluation> | undefined;
  let programDir = "";
  let last: Promise<void> = Promise.resolve();
  // Ctrl-C in a terminal reaches this process too; it ends with its run.
  process.on("SIGINT", () => undefined);
  // What a failed evaluation has left behind.
  process.on("unhandledRejection", () => undefined);
  process.on("disconnect", () => process.exit(0));
  process.on("message", (request: Request) => {
    if (request.type === "start") {
      evaluate = createEvaluation(request, (code) => options.sourceMapOf(code));
      programDir = path.resolve(request.program.programDir);
    }
    last = last.then(async () => {
      let evaluation: Evaluation | undefined;
      try {
        evaluation = await evaluate?.(request.type === "evaluate" && request.applied);
      } catch (error) {
        evaluation = { type: "failed", message: explain(error, programDir) };
      }
      process.send?.(evaluation);
    });
  });
}
