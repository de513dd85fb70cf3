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
    if (!name.startsWith("..") && !name.includes("node_modules") && !path.isAbsolute(name)) {
      return `${name}:${place}`;
    }
  }
  return undefined;
}

/** The error in a few lines: what Node and Pulumi write below it is of no use here. */
function explain(error: unknown, programDir: string): string {
  const { message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  const [text = ""] = message.split(/\nRequire stack:/);
  const place = /^\S+:\d+:\d+: /.test(text) ? undefined : placeIn(programDir, stack);
  return place === undefined ? text : `${place}: ${text}`;
}

/**
 * Evaluates a program for the run that has started this process (the run's option `watch`), until that
 * run ends.
 */
export function serveEvaluations({ sourceMapOf }: EvaluationOptions): void {
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
      evaluate = createEvaluation(request, sourceMapOf);
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
