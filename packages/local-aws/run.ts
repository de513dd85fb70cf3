import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { Cloud, type CloudOptions } from "./cloud";
import type { DynamoDbEngine } from "./dynamodb/engine";
import { createFaults, type Faults, logicalName } from "./faults/faults";
import type { FaultPlan } from "./faults/plan";
import type { Credentials } from "./iam/roles";
import type { InvokeResult } from "./lambda/host";
import type { Mail, OpenMail } from "./mail/mailbox";
import { stackConfig } from "./program";
import { type ProgramFiles, runProgram } from "./runProgram";
import type { ObjectCreated } from "./s3/engine";
import type { QueuedMessage } from "./sqs/engine";
import { StartError } from "./startError";

/** What happens in a run, for those who watch. */
export type RunEvent =
  /** A row of a table with a stream was put or changed; images are in DynamoDB's JSON. */
  | {
      type: "item";
      tableName: string;
      newImage: Record<string, unknown>;
      oldImage?: Record<string, unknown>;
    }
  | { type: "mail"; mail: Mail }
  | { type: "log"; functionName: string; line: string }
  | { type: "error"; message: string };

export interface RunOptions
  extends
    ProgramFiles,
    Pick<
      CloudOptions,
      | "s3EventDelayMs"
      | "delayScale"
      | "onInvocation"
      | "onCall"
      | "intercept"
      | "interceptInvocation"
    > {
  /** Port on 127.0.0.1; 0 takes a free one. */
  port: number;
  /** Keeps files, rows and mails between runs; without it nothing remains. */
  dataDir?: string;
  /** Settings that go before those of Pulumi.dev.yaml, by name. */
  config?: Record<string, string>;
  /** What is to go wrong. `intercept` and `interceptInvocation` go before it. */
  faults?: FaultPlan;
  onEvent?(event: RunEvent): void;
}

/** A program, running on this machine. */
export interface Run {
  /** What the program exports, resolved. */
  outputs: Record<string, unknown>;
  /** Of the Lambdas that the program registered. */
  functionNames: string[];
  /** Where all services are, for AWS clients. */
  endpoint: string;
  region: string;
  /** Keys that may do everything, for the person at the machine. */
  credentials: Credentials;
  /** The page with the mails. */
  inboxUrl: string;
  /** The folder with the mails, each as .eml. */
  mailDir: string;
  /** What goes wrong, where a plan asks for it. */
  faults?: Faults;
  /** DynamoDB itself, past the gateway and its policies. */
  dynamoDb: Pick<DynamoDbEngine, "handle" | "onChange">;
  /**
   * Invokes a function and waits for its result; an error in the function is a result, too.
   *
   * @param event JSON text, or what is to become it
   */
  invoke(functionNameOrArn: string, event: object | string): Promise<InvokeResult>;
  /** A mail that was delivered, by its id; undefined when there is none. */
  readMail(id: string): Promise<OpenMail | undefined>;
  /**
   * Every message on a queue; none is received by it.
   *
   * @param urlOrArn of the queue
   * @throws AwsError QueueDoesNotExist
   */
  queueMessages(urlOrArn: string): QueuedMessage[];
  /** Calls the listener once for each object that is created, before its writer has the answer. */
  onObjectCreated(listener: (event: ObjectCreated) => void): void;
  /** Delivers an object's event once more, as S3 may. */
  deliverObjectCreated(event: ObjectCreated): void;
  /** Ends the reading of every stream: rows start no Lambda any more. */
  closeStreams(): void;
  /** Resolves when every event has been delivered and every stream record is past. */
  idle(): Promise<void>;
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
      `The folder ${absolute} cannot be written to: ${(error as Error).message}.`,
      "dataDir",
    );
  }
}

function explain(error: unknown, port: number): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") {
    return new StartError(`Port ${port} is in use.`, "port");
  }
  if (code === "EACCES") {
    return new StartError(`Port ${port} may not be used: ${message}.`, "port");
  }
  return error;
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
    if (name === undefined || known.includes(name)) {
      return;
    }
    throw new StartError(
      `The faults' rules[${index}].function is "${name}"; allowed: one of ${known.join(", ")}`,
    );
  });
}

/** What a run shows of its cloud. */
function runOf(
  cloud: Cloud,
  parts: Pick<Run, "outputs" | "functionNames" | "mailDir" | "faults" | "stop">,
): Run {
  const { endpoint, region, roles, inboxUrl, dynamoDb } = cloud;
  return {
    ...parts,
    endpoint,
    region,
    credentials: roles.operator,
    inboxUrl,
    dynamoDb,
    invoke: (functionNameOrArn, event) => cloud.lambda.invoke(functionNameOrArn, event),
    readMail: (id) => cloud.mailbox.read(id),
    queueMessages: (urlOrArn) => cloud.queueMessages(urlOrArn),
    onObjectCreated: (listener) => {
      cloud.s3.onObjectCreated(listener);
    },
    deliverObjectCreated: (event) => {
      cloud.deliver(event);
    },
    closeStreams: () => {
      for (const mapping of cloud.mappings) {
        mapping.close();
      }
    },
    idle: () => cloud.idle(),
    stop: parts.stop,
  };
}

/**
 * Starts a program on this machine: runs it and serves what it registers.
 *
 * @throws StartError for what the user can put right, and the program's own errors
 */
export async function startRun(options: RunOptions): Promise<Run> {
  const emit = (event: RunEvent) => options.onEvent?.(event);
  const programDir = path.resolve(options.programDir);
  const config = stackConfig(programDir, options.config ?? {});
  const dataDir = options.dataDir === undefined ? undefined : prepareDataDir(options.dataDir);
  const faults = options.faults && createFaults(options.faults);
  const temporaryDir = mkdtempSync(path.join(tmpdir(), "local-aws-"));
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
      sdkFolder: programDir,
      onItem: (tableName, newImage, oldImage) => {
        emit({ type: "item", tableName, newImage, oldImage });
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
    const { outputs, functionNames } = await runProgram(cloud, config, { ...options, programDir });
    checkFunctions(options.faults, functionNames);
    cloud.start(functionNames, outputs);
    return runOf(cloud, { outputs, functionNames, mailDir, faults, stop });
  } catch (error) {
    await stop();
    throw explain(error, options.port);
  }
}
