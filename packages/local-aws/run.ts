import { rmSync } from "node:fs";
import * as path from "node:path";
import { isMainThread } from "node:worker_threads";
import { type Cloud, type CloudOptions, openCloud } from "./cloud";
import type { DynamoDbEngine } from "./dynamodb/engine";
import { createFaults, type Faults, logicalName } from "./faults/faults";
import type { FaultPlan } from "./faults/plan";
import type { Credentials } from "./iam/roles";
import { filesOf } from "./lambda/archive";
import type { InvokeResult } from "./lambda/host";
import { checkInspected, debuggerPort, type Inspect } from "./lambda/inspect";
import type { PageLink } from "./mail/inboxPage";
import type { Mail, OpenMail } from "./mail/mailbox";
import { stackConfig } from "./program";
import { provision } from "./resources";
import { FUNCTION, type ProgramFiles, type Provider, runProgram } from "./runProgram";
import type { ObjectCreated } from "./s3/engine";
import type { QueuedMessage } from "./sqs/engine";
import { queueArnOf } from "./sqs/queueArn";
import { StartError } from "./startError";
import { explainDataFolder, openDataFolder } from "./storage/dataFolder";
import { isDiskFull } from "./storage/diskFull";
import { makeTemporaryFolder, removeOrphans } from "./storage/temporaryFolder";
import { codeDigest } from "./watch/evaluate";
import type { MadeResource } from "./watch/messages";
import { type Reload, type WatchOptions, watchProgram } from "./watch/watch";

/** An event of a run. */
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
  | Reload
  | { type: "error"; message: string };

export interface RunOptions
  extends
    ProgramFiles,
    Pick<
      CloudOptions,
      | "s3EventDelayMs"
      | "delayScale"
      | "warmStart"
      | "confirmSubscriptions"
      | "onInvocation"
      | "onCall"
      | "intercept"
      | "interceptInvocation"
      | "sourceMapOf"
    > {
  /** Port on 127.0.0.1; 0 takes a free one. */
  port: number;
  /** Keeps files, rows and mails between runs; without it nothing remains. */
  dataDir?: string;
  /** Settings by name, which override those of Pulumi.dev.yaml. */
  config?: Record<string, string>;
  /** The faults to inject (README, "Faults"). `intercept` and `interceptInvocation` go first. */
  faults?: FaultPlan;
  /**
   * Starts a function under Node's debugger, without its timeout, in one environment at a time.
   * @default no function
   */
  inspect?: Inspect;
  /** Serves changes of the program's code while it runs. @default the code of the start is served */
  watch?: WatchOptions;
  /** Links above the inbox, made of the program's outputs. @default there are none */
  links?(outputs: Record<string, unknown>): PageLink[];
  onEvent?(event: RunEvent): void;
}

/** A program, running on this machine. */
export interface Run {
  /** The program's exports, resolved. */
  outputs: Record<string, unknown>;
  /** The functions that the program registered. */
  functionNames: string[];
  /** The URL of all services, for AWS clients. */
  endpoint: string;
  region: string;
  /** Keys that may do all that no resource's policy denies, for the person at the machine. */
  credentials: Credentials;
  /** The page with the mails. */
  inboxUrl: string;
  /** The folder with the mails, each as .eml. */
  mailDir: string;
  /** The inspected function, with the debugger's port, where one was asked for. */
  inspect?: Inspect;
  /** The injected faults, where a plan was given. */
  faults?: Faults;
  /** DynamoDB itself, past the gateway and its policies. */
  dynamoDb: Pick<DynamoDbEngine, "handle" | "onChange">;
  /**
   * Invokes a function and waits for its result; an error in the function is a result, too.
   *
   * @param event JSON text, or an object that becomes it
   */
  invoke(functionNameOrArn: string, event: object | string): Promise<InvokeResult>;
  /** A mail that was delivered, by its id; undefined when there is none. */
  readMail(id: string): Promise<OpenMail | undefined>;
  /**
   * Every message on a queue, without receiving any.
   *
   * @param urlOrArn of the queue
   * @throws AwsError QueueDoesNotExist
   */
  queueMessages(urlOrArn: string): QueuedMessage[];
  /** Calls the listener once for each object that is created, before its writer has the answer. */
  onObjectCreated(listener: (event: ObjectCreated) => void): void;
  /** Redelivers an object's event, as S3 may. */
  deliverObjectCreated(event: ObjectCreated): void;
  /** Ends the reading of every stream: rows invoke no function any more. */
  closeStreams(): void;
  /** Resolves when every event has been delivered and every stream record is processed. */
  idle(): Promise<void>;
  /**
   * What is still to be done: events of asynchronous invocations that are not finished, and stream
   * records that a function's mapping has not passed, by the function's physical name. It changes all the
   * time; 0 everywhere is no proof of rest, as a function's writes may be work for the next one.
   */
  waiting(): { events: number; records: Record<string, number> };
  /** Ends everything that the run started, and removes its temporary files. */
  stop(): Promise<void>;
}

function explain(error: unknown, port: number, dataDir: string | undefined): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") {
    return new StartError(`Port ${port} is in use.`, "port");
  }
  if (code === "EACCES") {
    return new StartError(`Port ${port} may not be used: ${message}.`, "port");
  }
  if (code === "ERR_SOCKET_BAD_PORT") {
    return new StartError(`Port ${port} is not a number from 0 to 65535.`, "port");
  }
  const explained = explainDataFolder(error, dataDir);
  if (isDiskFull(explained) && !(explained instanceof StartError)) {
    return new StartError(`The disk is full: ${message}.`);
  }
  return explained;
}

/** The faults, injected behind the options' own interceptors. */
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

/** @throws StartError for a rule without effect: the program has no such function */
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

/** The cloud as a program's provider; `made` gets each resource that it makes. */
function recording(cloud: Cloud, made: MadeResource[]): Provider {
  return {
    accountId: cloud.accountId,
    async make(resource) {
      const provisioned = await provision(resource, cloud);
      const { code: archive, ...inputs } = resource.inputs;
      const isFunction = resource.type === FUNCTION && archive !== undefined;
      const code = isFunction ? codeDigest(await filesOf(resource)) : undefined;
      made.push({
        ...resource,
        inputs: isFunction ? inputs : resource.inputs,
        ...provisioned,
        code,
      });
      return provisioned;
    },
  };
}

/** A run's view of its cloud. */
function runOf(
  cloud: Cloud,
  parts: Pick<Run, "outputs" | "functionNames" | "mailDir" | "inspect" | "faults" | "stop">,
): Run {
  const { endpoint, region, roles, inboxUrl, dynamoDb, notifications, mappings } = cloud;
  return {
    ...parts,
    endpoint,
    region,
    credentials: roles.operator,
    inboxUrl,
    dynamoDb,
    invoke: (functionNameOrArn, event) => cloud.lambda.invoke(functionNameOrArn, event),
    readMail: (id) => cloud.mailbox.read(id),
    queueMessages: (urlOrArn) => cloud.sqs.messages(queueArnOf(urlOrArn, cloud)),
    onObjectCreated: (listener) => {
      cloud.s3.onObjectCreated(listener);
    },
    deliverObjectCreated: (event) => {
      notifications.deliver(event);
    },
    closeStreams: () => {
      mappings.close();
    },
    idle: () => cloud.idle(),
    waiting: () => ({ events: cloud.asyncInvoker.pending(), records: mappings.waiting() }),
  };
}

/**
 * Starts a program on this machine: runs it and serves the resources that it registers.
 *
 * @throws StartError for a problem that the user can solve, and the program's own errors
 */
export async function startRun(options: RunOptions): Promise<Run> {
  const emit = (event: RunEvent) => options.onEvent?.(event);
  const programDir = path.resolve(options.programDir);
  const config = stackConfig(programDir, options.config ?? {});
  // Databases make files of their own, whose modes nothing else sets. A worker cannot.
  if (isMainThread) {
    process.umask(0o077);
  }
  const dataDir = options.dataDir === undefined ? undefined : openDataFolder(options.dataDir);
  const faults = options.faults && createFaults(options.faults);
  const inspect = options.inspect && (await debuggerPort(options.inspect));
  const temporaryDir = makeTemporaryFolder();
  const cleaning = removeOrphans();
  const mailDir = path.join(dataDir ?? temporaryDir, "mail");
  let cloud: Cloud | undefined;
  let watching: ReturnType<typeof watchProgram> | undefined;
  const removeTemporaryDir = () => {
    rmSync(temporaryDir, { recursive: true, force: true });
  };
  // Also when the process ends before the run could be stopped.
  process.once("exit", removeTemporaryDir);
  const stop = async () => {
    faults?.stop();
    await watching?.close();
    await cloud?.close();
    await cleaning;
    removeTemporaryDir();
    process.off("exit", removeTemporaryDir);
  };
  try {
    cloud = await openCloud({
      ...options,
      ...(faults && intercepting(faults, options)),
      region: config["aws:region"] ?? "us-east-1",
      dataDir,
      mailDir,
      workDir: path.join(temporaryDir, "lambda"),
      sdkFolder: programDir,
      inspectPortOf: (name) =>
        logicalName(name) === inspect?.functionName ? inspect.port : undefined,
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
    const { accountId, lambda } = cloud;
    const made: MadeResource[] = [];
    const provider = recording(cloud, made);
    const program = { ...options, programDir };
    const { outputs, functionNames } = await runProgram(provider, config, program);
    checkFunctions(options.faults, functionNames);
    checkInspected(inspect, functionNames.map(logicalName));
    cloud.start(functionNames, { outputs, links: options.links?.(outputs) });
    const { programFile } = options;
    watching =
      options.watch &&
      watchProgram(options.watch, {
        start: {
          type: "start",
          program: {
            programDir,
            programFile,
            modules: options.watch.modules ?? options.watch.files,
          },
          config,
          accountId,
          made,
        },
        updateFunction: (name, update) => lambda.updateFunction(name, update),
        onReload: emit,
      });
    return runOf(cloud, { outputs, functionNames, mailDir, inspect, faults, stop });
  } catch (error) {
    await stop();
    throw explain(error, options.port, dataDir);
  }
}
