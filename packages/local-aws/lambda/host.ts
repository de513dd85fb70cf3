import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { AwsError } from "../awsError";
import {
  type DiskEntry,
  type PackageFiles,
  placeSourceMaps,
  type SourceMaps,
  sourceMapsOf,
  unpack,
} from "./deploymentPackage";
import { checkOwnVariables } from "./environment/environmentVariables";
import type { Outcome } from "./environment/outcome";
import { createPool, type Pool } from "./environmentPool";
import type { Fault } from "./fault";
import { functionNameOf } from "./functionName";
import { MAX_REQUEST_BYTES } from "./limits";
import { toJsonBytes } from "./payload";

export type { Fault };

/** A function's code. */
export interface FunctionCode {
  files: PackageFiles;
  /** @default those that the host's option `sourceMapOf` gives */
  sourceMaps?: SourceMaps;
}

/** A function as it would be deployed. */
export interface FunctionConfig extends FunctionCode {
  functionName: string;
  functionArn: string;
  /** Such as `index.handler`. */
  handler: string;
  /** The function's own variables. */
  environment: Record<string, string>;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  timeoutSeconds: number;
  memoryMegabytes: number;
  logFormat: "JSON" | "Text";
  logGroupName: string;
}

/** New code of a function, and the settings that may change with it. */
export type FunctionUpdate = FunctionCode &
  Partial<Pick<FunctionConfig, "environment" | "handler" | "memoryMegabytes" | "timeoutSeconds">>;

/** The result of an invocation. */
export interface InvokeResult {
  /** JSON text: the handler's result, or `{ errorType, errorMessage, … }`. */
  payload: string;
  functionError?: "Unhandled";
  errorType?: string;
  errorMessage?: string;
  requestId: string;
  /** Milliseconds from sending the event to the runtime until its response. */
  durationMs: number;
  /** Whether the invocation waited for the start of its environment. */
  coldStart: boolean;
}

export interface LambdaHostOptions {
  region: string;
  accountId: string;
  /** The URL of every AWS service, for the functions. */
  endpointUrl: string;
  /**
   * The folder from which Node resolves the AWS SDK, which AWS's runtime contains: `@aws-sdk/…` and
   * `@smithy/…`. @default only a package of the function's own has them
   */
  sdkFolder?: string;
  /** The folder in which packages are unpacked; each function has its own in there. */
  workDir: string;
  /** Environments per function. @default one more than there are processors, 4 at most */
  maxConcurrency?: number;
  /**
   * The source map of a text in a function's package. Stacks and the debugger then name the lines of its
   * sources, by their names in the map. @default there is none
   */
  sourceMapOf?(code: string): string | DiskEntry | undefined;
  /**
   * The port of 127.0.0.1 on which Node's debugger listens in a function's process. An inspected function
   * has one environment, and no timeout. @default no function is inspected
   */
  inspectPortOf?(functionName: string): number | undefined;
  /** Called with each line that a function writes, and with the platform's own lines. */
  onLog?(entry: { functionName: string; requestId?: string; line: string }): void;
  /** Called with a report of each invocation when it has ended. */
  onInvocation?(report: {
    functionName: string;
    requestId: string;
    durationMs: number;
    coldStart: boolean;
    outcome: Outcome["kind"];
    async: boolean;
  }): void;
  /**
   * Called before an invocation is queued for an environment. Its answer is the fault to apply; an
   * error that it throws rejects the caller's `invoke`, as if the service had refused.
   */
  intercept?(invocation: {
    functionName: string;
    requestId: string;
    payload: string;
    async: boolean;
  }): Fault | undefined | Promise<Fault | undefined>;
}

export interface LambdaHost {
  /** @throws AwsError `ResourceConflictException`, `InvalidParameterValueException` */
  createFunction(config: FunctionConfig): Promise<void>;
  /**
   * Replaces a function's code and settings. Invocations in progress end with those that they have;
   * waiting and later ones get the new ones.
   *
   * @throws AwsError `ResourceNotFoundException`, `InvalidParameterValueException`
   */
  updateFunction(functionNameOrArn: string, update: FunctionUpdate): Promise<void>;
  /**
   * Invokes a function and waits for its result. An error in the function is a result too; only the
   * service's own errors reject.
   *
   * @param payload JSON text, as a string or in UTF-8, or an object that becomes it
   * @param origin for asynchronous invocations: the request id of the event
   * @throws AwsError `ResourceNotFoundException` (404), `RequestEntityTooLargeException` (413),
   *   `InvalidRequestContentException` (400), `ServiceUnavailableException` (503, host closed)
   */
  invoke(
    functionNameOrArn: string,
    payload: string | Buffer | object,
    origin?: { requestId: string; async: boolean },
  ): Promise<InvokeResult>;
  /** @throws AwsError `ResourceNotFoundException` */
  functionArn(functionNameOrArn: string): string;
  /**
   * Starts an environment ahead of the first invocation, if there is none, and resolves when it is
   * ready. An error in the function's start is logged, and is the answer of the next invocation.
   */
  warm(functionNameOrArn: string): Promise<void>;
  /** Kills every environment; resolves when they are gone. Open invocations are rejected. */
  close(): Promise<void>;
}

const MAX_ENVIRONMENTS = 4;

/**
 * How many environments of one function are worth starting: each compiles the function's code for
 * itself, so that of more than can run at once, each takes longer until it is fast.
 */
export function environmentLimit(processors = availableParallelism()): number {
  return Math.min(processors + 1, MAX_ENVIRONMENTS);
}

/** Runs Lambda functions, each of their execution environments in a process of its own. */
export function createLambdaHost(options: LambdaHostOptions): LambdaHost {
  const { workDir, maxConcurrency = environmentLimit() } = options;
  const functions = new Map<string, Pool>();
  /** Pools of replaced code, which end with their last invocation. */
  const replaced = new Set<Pool>();
  let updates = 0;
  let closed = false;

  /** @param predecessor whose debugger holds the port until it is gone */
  async function deploy(config: FunctionConfig, predecessor?: Pool): Promise<Pool> {
    const { functionName, files } = config;
    const sourceMaps =
      config.sourceMaps ?? sourceMapsOf(files, (code) => options.sourceMapOf?.(code));
    const inspectPort = options.inspectPortOf?.(functionName);
    // No function's name has a dot.
    const name = predecessor ? `${functionName}.${++updates}` : functionName;
    const taskRoot = await unpack(files, join(workDir, name));
    return createPool({
      ...config,
      taskRoot,
      inspectPort,
      sourceMapFiles: await placeSourceMaps(
        sourceMaps,
        taskRoot,
        join(workDir, ".source-maps", name),
      ),
      limit: inspectPort === undefined ? maxConcurrency : 1,
      startsAfter: inspectPort === undefined ? undefined : predecessor?.gone(),
      region: options.region,
      endpointUrl: options.endpointUrl,
      sdkFolder: options.sdkFolder,
      compileCacheFolder: join(workDir, ".compile-cache"),
      onLog: (line, requestId) => {
        options.onLog?.({ functionName, ...(requestId !== undefined && { requestId }), line });
      },
    });
  }

  async function createFunction(config: FunctionConfig): Promise<void> {
    const { functionName } = config;
    if (functions.has(functionName)) {
      throw new AwsError(
        "ResourceConflictException",
        409,
        `Function already exist: ${functionName}`,
      );
    }
    checkOwnVariables(config.environment);
    functions.set(functionName, await deploy(config));
  }

  async function updateFunction(functionNameOrArn: string, update: FunctionUpdate): Promise<void> {
    checkOwnVariables(update.environment ?? {});
    const before = find(functionNameOrArn);
    const after = await deploy({ ...before.config, ...update }, before);
    if (closed) {
      return;
    }
    functions.set(before.config.functionName, after);
    replaced.add(before);
    for (const job of before.retire()) {
      after.enqueue(job);
    }
    // Its failure is that of the next invocation; the end of the host is none.
    after.warm().catch(() => undefined);
    void before.gone().then(async () => {
      replaced.delete(before);
      await rm(before.config.taskRoot, { recursive: true, force: true });
    });
  }

  function find(functionNameOrArn: string): Pool {
    const name = functionNameOf(functionNameOrArn);
    const pool = functions.get(name);
    if (pool !== undefined) {
      return pool;
    }
    throw new AwsError(
      "ResourceNotFoundException",
      404,
      `Function not found: arn:aws:lambda:${options.region}:${options.accountId}:function:${name}`,
    );
  }

  async function invoke(
    functionNameOrArn: string,
    payload: string | Buffer | object,
    origin = { requestId: randomUUID() as string, async: false },
  ): Promise<InvokeResult> {
    const { functionName } = find(functionNameOrArn).config;
    const event = requestBytes(payload);
    const fault = await options.intercept?.({
      ...origin,
      functionName,
      payload: event.toString(),
    });
    const { outcome, coldStart } = await (fault?.kind === "error"
      ? { outcome: faultOutcome(fault), coldStart: false }
      : find(functionName).invoke({ requestId: origin.requestId, payload: event, fault }));
    const { kind, durationMs, ...result } = outcome;
    options.onInvocation?.({ functionName, ...origin, durationMs, coldStart, outcome: kind });
    return {
      ...result,
      ...(kind !== "ok" && { functionError: "Unhandled" }),
      requestId: origin.requestId,
      durationMs,
      coldStart,
    };
  }

  return {
    createFunction,
    updateFunction,
    invoke,
    functionArn: (functionNameOrArn) => find(functionNameOrArn).config.functionArn,
    warm: (functionNameOrArn) => find(functionNameOrArn).warm(),
    async close() {
      closed = true;
      await Promise.all([...functions.values(), ...replaced].map((pool) => pool.close()));
    },
  };
}

function requestBytes(payload: string | Buffer | object): Buffer {
  const event = toJsonBytes(payload);
  if (event.length <= MAX_REQUEST_BYTES) {
    return event;
  }
  throw new AwsError(
    "RequestEntityTooLargeException",
    413,
    `Request must be smaller than ${MAX_REQUEST_BYTES} bytes for the InvokeFunction operation`,
  );
}

function faultOutcome({ errorType, errorMessage }: Extract<Fault, { kind: "error" }>): Outcome {
  const payload = JSON.stringify({ errorType, errorMessage });
  return { kind: "error", payload, errorType, errorMessage, durationMs: 0 };
}
