import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { AwsError } from "../awsError";
import { type PackageFiles, unpack } from "./deploymentPackage";
import { checkOwnVariables } from "./environment/environmentVariables";
import { type ExecutionEnvironment, startEnvironment } from "./environment/executionEnvironment";
import { InitError, type Outcome } from "./environment/outcome";
import type { Fault } from "./fault";
import { functionNameOf } from "./functionName";
import { MAX_REQUEST_BYTES } from "./limits";
import { toJsonBytes } from "./payload";

export type { Fault };

/** A function as it would be deployed. */
export interface FunctionConfig {
  functionName: string;
  functionArn: string;
  files: PackageFiles;
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

interface Job {
  requestId: string;
  /** JSON text in UTF-8. */
  payload: Buffer;
  queuedAt: number;
  fault: Fault | undefined;
  resolve: (end: { outcome: Outcome; coldStart: boolean }) => void;
  reject: (error: unknown) => void;
}

interface HostedFunction {
  config: FunctionConfig;
  taskRoot: string;
  environments: Set<ExecutionEnvironment>;
  idle: ExecutionEnvironment[];
  starting: number;
  queue: Job[];
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
  const { maxConcurrency = environmentLimit() } = options;
  const functions = new Map<string, HostedFunction>();
  let closed = false;

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
    const taskRoot = await unpack(config.files, join(options.workDir, functionName));
    const environments = new Set<ExecutionEnvironment>();
    functions.set(functionName, {
      config,
      taskRoot,
      environments,
      idle: [],
      starting: 0,
      queue: [],
    });
  }

  function find(functionNameOrArn: string): HostedFunction {
    const name = functionNameOf(functionNameOrArn);
    const hosted = functions.get(name);
    if (hosted !== undefined) {
      return hosted;
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
    const hosted = find(functionNameOrArn);
    const { functionName } = hosted.config;
    const event = requestBytes(payload);
    const fault = await options.intercept?.({
      ...origin,
      functionName,
      payload: event.toString(),
    });
    const { outcome, coldStart } = await (fault?.kind === "error"
      ? { outcome: faultOutcome(fault), coldStart: false }
      : queued(hosted, { requestId: origin.requestId, payload: event, fault }));
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

  function queued(
    hosted: HostedFunction,
    job: Pick<Job, "requestId" | "payload" | "fault">,
  ): Promise<{ outcome: Outcome; coldStart: boolean }> {
    if (closed) {
      throw closedError();
    }
    return new Promise((resolve, reject) => {
      hosted.queue.push({ ...job, queuedAt: performance.now(), resolve, reject });
      dispatch(hosted);
    });
  }

  /** Gives waiting invocations to free environments, and starts environments for the others. */
  function dispatch(hosted: HostedFunction): void {
    const { queue, idle, environments } = hosted;
    while (queue.length > 0 && idle.length > 0) {
      const environment = idle.pop();
      if (!environment?.alive()) {
        continue;
      }
      const job = queue.shift();
      if (job) {
        run(hosted, environment, job).catch(job.reject);
      }
    }
    while (hosted.starting < queue.length && environments.size < maxConcurrency) {
      void start(hosted);
    }
  }

  async function run(
    hosted: HostedFunction,
    environment: ExecutionEnvironment,
    job: Job,
  ): Promise<void> {
    const coldStart = environment.invocations() === 0 && environment.readyAt() > job.queuedAt;
    const running = environment.invoke(job);
    const killer =
      job.fault?.kind === "kill" &&
      setTimeout(() => {
        environment.kill();
      }, job.fault.afterMs);
    const outcome = await running;
    if (killer) {
      clearTimeout(killer);
    }
    if (closed) {
      job.reject(closedError());
      return;
    }
    // Free before the caller has the answer, so that its next call finds it.
    if (hosted.environments.has(environment)) {
      hosted.idle.push(environment);
    }
    dispatch(hosted);
    job.resolve({ outcome, coldStart });
  }

  /** Starts one environment; its failure is the result of the invocation that waits longest. */
  async function start(hosted: HostedFunction): Promise<void> {
    const { config, taskRoot, environments } = hosted;
    const { functionName } = config;
    const environment = startEnvironment({
      ...config,
      taskRoot,
      region: options.region,
      endpointUrl: options.endpointUrl,
      sdkFolder: options.sdkFolder,
      compileCacheFolder: join(options.workDir, ".compile-cache"),
      onLog: (line, requestId) => {
        options.onLog?.({ functionName, ...(requestId !== undefined && { requestId }), line });
      },
    });
    environments.add(environment);
    hosted.starting++;
    void environment.gone.then(() => {
      environments.delete(environment);
      hosted.idle = hosted.idle.filter((other) => other !== environment);
      if (!closed) {
        dispatch(hosted);
      }
    });
    try {
      await environment.ready;
      hosted.starting--;
      if (environments.has(environment)) {
        hosted.idle.push(environment);
      }
    } catch (error) {
      hosted.starting--;
      const job = hosted.queue.shift();
      if (!(error instanceof InitError)) {
        job?.reject(error);
      } else {
        job?.resolve({ outcome: error.outcomeOf(job.requestId), coldStart: true });
      }
    }
    if (!closed) {
      dispatch(hosted);
    }
  }

  async function warm(functionNameOrArn: string): Promise<void> {
    const hosted = find(functionNameOrArn);
    if (closed) {
      throw closedError();
    }
    if (hosted.environments.size === 0) {
      await start(hosted);
    } else {
      await Promise.allSettled([...hosted.environments].map(({ ready }) => ready));
    }
  }

  async function close(): Promise<void> {
    closed = true;
    const environments = [...functions.values()].flatMap((hosted) => {
      for (const job of hosted.queue.splice(0)) {
        job.reject(closedError());
      }
      return [...hosted.environments];
    });
    for (const environment of environments) {
      environment.stop();
    }
    await Promise.all(environments.map(({ gone }) => gone));
  }

  return {
    createFunction,
    invoke,
    functionArn: (functionNameOrArn) => find(functionNameOrArn).config.functionArn,
    warm,
    close,
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

function closedError(): AwsError {
  return new AwsError(
    "ServiceUnavailableException",
    503,
    "The Lambda host was closed before the invocation ended.",
  );
}
