import * as path from "node:path";
import * as esbuild from "esbuild";
import * as localAws from "local-aws";
import { setBundleCache } from "../components/lambda/bundleCache";
import type { EventStatus, FileEvent } from "../events/event";
import { fromItem, type Item } from "../events/item";
import { openBundleCache } from "./bundleCache";
import { changingModules, PACKING, PROGRAM_MODULES, PROGRAM_SOURCES } from "./program";
import { PROGRAM_DIR } from "./programDir";

const WATCHED: localAws.WatchOptions = {
  evaluator: path.join(__dirname, "evaluator.ts"),
  files: PROGRAM_SOURCES,
  modules: changingModules(),
  startFiles: [PACKING, "Pulumi.yaml", "Pulumi.dev.yaml", "openapi.json", "package-lock.json"],
};

/** An event of a run. */
export type RunEvent =
  { type: "status"; event: FileEvent } | Exclude<localAws.RunEvent, { type: "item" }>;

export interface RunOptions extends Omit<
  localAws.RunOptions,
  "programDir" | "modules" | "onEvent" | "watch"
> {
  /** Serves saved changes of the program. @default false */
  watch?: boolean;
  onEvent?(event: RunEvent): void;
}

/** The program, running on this machine. */
export interface Run extends localAws.Run {
  /** The messages on the program's dead-letter queue, without receiving any. */
  deadLetters(): ReturnType<localAws.Run["queueMessages"]>;
}

function statusOf(item: object | undefined): EventStatus | undefined {
  return (item as Item | undefined)?.event_status?.S as EventStatus | undefined;
}

/** The event of a row's change; undefined where the status is unchanged. */
function statusEvent({
  newImage,
  oldImage,
}: Extract<localAws.RunEvent, { type: "item" }>): RunEvent | undefined {
  if (statusOf(newImage) === undefined || statusOf(newImage) === statusOf(oldImage)) {
    return undefined;
  }
  try {
    return { type: "status", event: fromItem(newImage as Item) };
  } catch (error) {
    return { type: "error", message: `A row is not an event: ${(error as Error).message}` };
  }
}

/** On AWS the command reads the key from the stack; locally the key is inserted. */
function withKey(outputs: Record<string, unknown>): void {
  const { uploadCommand, uploadApiKey } = outputs;
  if (typeof uploadCommand === "string" && typeof uploadApiKey === "string") {
    outputs.uploadCommand = uploadCommand.replace(/\$\(.*?\)/, uploadApiKey);
  }
}

/**
 * Starts the program on this machine: runs index.ts and serves its resources.
 *
 * @throws StartError for a problem that the user can solve, and the program's own errors
 */
export async function startRun(options: RunOptions): Promise<Run> {
  const bundles = openBundleCache({ entry: options.programFile });
  setBundleCache(bundles);
  try {
    const run = await localAws.startRun({
      ...options,
      programDir: PROGRAM_DIR,
      links: ({ consoleUrl }) => [{ title: "Console", url: String(consoleUrl) }],
      modules: PROGRAM_MODULES,
      watch: options.watch ? WATCHED : undefined,
      sourceMapOf: (code) => bundles.sourceMapOf(code),
      onEvent: (event) => {
        const shown = event.type === "item" ? statusEvent(event) : event;
        if (shown) {
          options.onEvent?.(shown);
        }
      },
    });
    withKey(run.outputs);
    const deadLetters = () => run.queueMessages(String(run.outputs.deadLetterQueueUrl));
    return { ...run, deadLetters };
  } finally {
    setBundleCache(undefined);
    // The bundler's own process is not needed any more.
    await esbuild.stop();
  }
}
