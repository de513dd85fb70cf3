import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { EventStatus, FileEvent } from "../events/event";
import { fromItem, type Item } from "../events/item";
import { Cloud, type CloudOptions } from "./cloud";
import { createFaults, type Faults, logicalName } from "./faults/faults";
import type { FaultPlan } from "./faults/plan";
import type { QueuedMessage } from "./fauxqs";
import type { Mail } from "./mail/mailbox";
import { runProgram, stackConfig } from "./program";
import { StartError } from "./startError";

/** What happens in a run, for those who watch. */
export type RunEvent =
  | { type: "status"; event: FileEvent }
  | { type: "mail"; mail: Mail }
  | { type: "log"; functionName: string; line: string }
  | { type: "error"; message: string };

export interface RunOptions extends Pick<
  CloudOptions,
  "s3EventDelayMs" | "delayScale" | "onInvocation" | "onCall" | "intercept" | "interceptInvocation"
> {
  /** Port on 127.0.0.1; 0 takes a free one. */
  port: number;
  /** Keeps files, rows and mails between runs; without it nothing remains. */
  dataDir?: string;
  /** Settings that go before those of Pulumi.dev.yaml, by name. */
  config?: Record<string, string>;
  /** Absolute path of another program's entry, which is run in place of index.ts. */
  programFile?: string;
  /** What is to go wrong. `intercept` and `interceptInvocation` go before it. */
  faults?: FaultPlan;
  onEvent?(event: RunEvent): void;
}

/** The program, running on this machine. */
export interface Run {
  outputs: Record<string, unknown>;
  /** Of the Lambdas that the program registered. */
  functionNames: string[];
  cloud: Cloud;
  mailDir: string;
  /** What goes wrong, where a plan asks for it. */
  faults?: Faults;
  /** The messages on the program's dead-letter queue; none is received by it. */
  deadLetters(): QueuedMessage[];
  /** Ends all that the run started, and removes what is temporary. */
  stop(): Promise<void>;
}

function prepareDataDir(dir: string): string {
  const absolute = path.resolve(dir);
  try {
    mkdirSync(absolute, { recursive: true });
    accessSync(absolute, constants.R_OK | constants.W_OK | constants.X_OK);
    return absolute;
  } catch (error) {
    throw new StartError(
      `The folder ${absolute} cannot be written to: ${(error as Error).message}. ` +
        "Choose another with --data.",
    );
  }
}

function explain(error: unknown, port: number): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") {
    return new StartError(
      `Port ${port} is in use. Choose another with --port, or a free one with --port 0.`,
    );
  }
  if (code === "EACCES") {
    return new StartError(`Port ${port} may not be used: ${message}. Choose another with --port.`);
  }
  return error;
}

function statusOf(item: unknown): EventStatus | undefined {
  return (item as Item | undefined)?.event_status?.S as EventStatus | undefined;
}

/** The faults, behind what the options themselves put between. */
function intercepting(faults: Faults, options: RunOptions): Partial<CloudOptions> {
  const { intercept, interceptInvocation } = options;
  return {
    intercept: (call, forward) => {
      const disturbed = () => faults.interceptCall(call, forward);
      return intercept ? intercept(call, disturbed) : disturbed();
    },
    interceptInvocation: async (invocation) =>
      (await interceptInvocation?.(invocation)) ?? faults.interceptInvocation(invocation),
    objectEventDelays: (baseMs) => faults.objectEventDelays(baseMs),
    replays: (records) => faults.replays(records),
  };
}

/** @throws StartError for a rule that would never strike: the program has no such Lambda */
function checkFunctions(plan: FaultPlan | undefined, functionNames: string[]): void {
  const known = functionNames.map(logicalName);
  plan?.rules.forEach((rule, index) => {
    const name = "function" in rule ? rule.function : undefined;
    if (name === undefined || known.includes(name)) return;
    throw new StartError(
      `The faults' rules[${index}].function is "${name}"; allowed: one of ${known.join(", ")}`,
    );
  });
}

/** On AWS the command asks the stack for the key; here it is known. */
function withKey(outputs: Record<string, unknown>): void {
  const { uploadCommand, uploadApiKey } = outputs;
  if (typeof uploadCommand === "string" && typeof uploadApiKey === "string") {
    outputs.uploadCommand = uploadCommand.replace(/\$\(.*?\)/, uploadApiKey);
  }
}

/**
 * Starts the program on this machine: runs index.ts and serves what it registers.
 *
 * @throws StartError for what the user can put right, and the program's own errors
 */
export async function startRun(options: RunOptions): Promise<Run> {
  const emit = (event: RunEvent) => options.onEvent?.(event);
  const config = stackConfig(options.config ?? {});
  const dataDir = options.dataDir === undefined ? undefined : prepareDataDir(options.dataDir);
  const faults = options.faults && createFaults(options.faults);
  const temporaryDir = mkdtempSync(path.join(tmpdir(), "s3-uploader-"));
  const mailDir = path.join(dataDir ?? temporaryDir, "mail");
  let cloud: Cloud | undefined;
  const removeTemporaryDir = () => {
    rmSync(temporaryDir, { recursive: true, force: true });
  };
  // Also when the process ends before the run could be stopped.
  process.once("exit", removeTemporaryDir);
  const stop = async () => {
    faults?.stop();
    await cloud?.close();
    removeTemporaryDir();
    process.off("exit", removeTemporaryDir);
  };
  try {
    cloud = await Cloud.open({
      ...options,
      ...(faults && intercepting(faults, options)),
      region: config["aws:region"] ?? "us-east-1",
      dataDir,
      mailDir,
      workDir: path.join(temporaryDir, "lambda"),
      onItem: (_table, newImage, oldImage) => {
        if (statusOf(newImage) === undefined || statusOf(newImage) === statusOf(oldImage)) {
          return;
        }
        try {
          emit({ type: "status", event: fromItem(newImage as Item) });
        } catch (error) {
          emit({ type: "error", message: `A row is not an event: ${(error as Error).message}` });
        }
      },
      onMail: (mail) => {
        emit({ type: "mail", mail });
      },
      onLog: ({ functionName, line }) => {
        emit({ type: "log", functionName, line });
      },
      onError: (message) => {
        emit({ type: "error", message });
      },
    });
    const { outputs, functionNames } = await runProgram(cloud, config, options.programFile);
    checkFunctions(options.faults, functionNames);
    withKey(outputs);
    cloud.start(functionNames, outputs);
    const started = cloud;
    const deadLetters = () => started.queueMessages(String(outputs.deadLetterQueueUrl));
    return { outputs, functionNames, cloud, mailDir, faults, deadLetters, stop };
  } catch (error) {
    await stop();
    throw explain(error, options.port);
  }
}
