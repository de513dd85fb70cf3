import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { HttpRequest } from "../http";
import { type EnvironmentSettings, environmentVariables } from "./environmentVariables";
import type { Fault } from "./fault";
import { INIT_TIMEOUT_MS } from "./limits";
import { RuntimeApi } from "./runtimeApi";

const RUNTIME_CLIENT = require.resolve("aws-lambda-ric");
const NATIVE_CLIENT = join(__dirname, "ricClient.cjs");

/** How often the memory of a working environment is looked at, in ms. */
const MEMORY_WATCH_MS = 50;
/** How long the output of a dead process is waited for, in ms: others may still hold its pipes. */
const OUTPUT_GRACE_MS = 200;

/** A function's settings as one environment needs them. */
export interface EnvironmentOptions extends Omit<EnvironmentSettings, "runtimeApi" | "runtimeDir"> {
  functionArn: string;
  timeoutSeconds: number;
  /** Where Node keeps the compiled form of bundles between starts. */
  compileCacheFolder: string;
  /** Gets every line of stdout and stderr, and what the platform itself has to say. */
  onLog(line: string, requestId: string | undefined): void;
}

/** How one invocation ended. */
export interface Outcome {
  kind: "ok" | "error" | "timeout" | "crash";
  /** JSON text: the handler's result, or the error as AWS hands it to the caller. */
  payload: string;
  errorType?: string;
  errorMessage?: string;
  /** From the event's way to the runtime until its response. */
  durationMs: number;
}

/** Why a process ended, as the platform says it. */
interface Failure {
  kind: "timeout" | "crash";
  errorType: string;
  reason: string;
}

interface Running {
  requestId: string;
  fault: Fault | undefined;
  startedAt: number;
  /** Set by the runtime's answer; the invocation is over when it asks for the next one. */
  outcome?: Outcome;
  resolve(outcome: Outcome): void;
}

/** The environment's process ended before it could take an invocation. */
export class InitError extends Error {
  override readonly name = "InitError";
  /** @param outcomeOf what the invocation that waited for it has to answer */
  constructor(
    message: string,
    readonly outcomeOf: (requestId: string) => Outcome,
  ) {
    super(message);
  }
}

/**
 * One Lambda execution environment: a process that runs the function's package under AWS's runtime
 * interface client, one invocation at a time.
 */
export class ExecutionEnvironment {
  /** Rejects with {@link InitError} when the function cannot be loaded. */
  readonly ready: Promise<void>;
  /** Resolves when the process and all that it started are gone; never rejects. */
  readonly gone: Promise<void>;
  /** `performance.now()` when it got ready. */
  readyAt = Infinity;
  /** How many invocations it has taken. */
  invocations = 0;

  private api: RuntimeApi | undefined;
  private child: ChildProcess | undefined;
  private running: Running | undefined;
  private initError: string | undefined;
  /** Why the host ended the process. */
  private verdict: Failure | undefined;
  private stopped = false;
  private heapExhausted = false;
  private deadline: NodeJS.Timeout | undefined;
  private memoryWatch: NodeJS.Timeout | undefined;

  constructor(private readonly options: EnvironmentOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.ready = promise;
    this.gone = this.live(() => {
      this.readyAt = performance.now();
      resolve(undefined);
    }).then(
      (failure) => {
        reject(this.asInitError(failure));
      },
      (error: unknown) => {
        reject(error);
      },
    );
  }

  /** Whether the process was there when last heard of. */
  get alive(): boolean {
    return this.child?.exitCode === null && this.child.signalCode === null;
  }

  /** Runs one invocation; the environment must be ready, alive and free. */
  invoke(invocation: {
    requestId: string;
    payload: string;
    fault: Fault | undefined;
  }): Promise<Outcome> {
    const { requestId, payload, fault } = invocation;
    const { timeoutSeconds, functionArn } = this.options;
    const timeoutMs = timeoutSeconds * 1000;
    this.invocations++;
    return new Promise((resolve) => {
      this.running = { requestId, fault, startedAt: performance.now(), resolve };
      this.work(timeoutMs, fault?.kind === "timeout" ? 0 : timeoutMs);
      this.api?.send({
        requestId,
        payload,
        functionArn,
        deadlineMs: Date.now() + timeoutMs,
        traceId: newTraceId(),
        ...(fault?.kind === "crash" && { crash: fault }),
      });
    });
  }

  /** Ends the process at once, as a crash of its machine would. */
  kill(): void {
    if (this.alive && this.child?.pid !== undefined) {
      killGroup(this.child.pid);
    }
  }

  /** Ends the process because nobody needs it any more, and says nothing about it. */
  stop(): void {
    this.stopped = true;
    this.kill();
  }

  /** Starts the process and resolves, when it has ended, with the reason. */
  private async live(onReady: () => void): Promise<Failure> {
    this.api = await RuntimeApi.start({
      onNext: () => {
        this.rest();
        if (this.running === undefined) {
          onReady();
        } else {
          this.settle();
        }
      },
      onResponse: (requestId, payload) => {
        this.answer(requestId, { kind: "ok", payload });
      },
      onError: (requestId, payload) => {
        this.answer(requestId, { kind: "error", payload, ...errorOf(payload) });
      },
      onInitError: (payload) => {
        this.initError = payload;
      },
    });
    try {
      return this.stopped ? exitFailure(0, null) : await this.run(this.api.address);
    } finally {
      this.api.close();
    }
  }

  private async run(runtimeApi: string): Promise<Failure> {
    const child = spawnRuntime(this.options, runtimeApi);
    this.child = child;
    this.work(INIT_TIMEOUT_MS);
    const onLine = (line: string): void => {
      this.heapExhausted ||= line.includes("JavaScript heap out of memory");
      this.options.onLog(line, this.running?.requestId);
    };
    forEachLine(child.stdout, onLine);
    forEachLine(child.stderr, onLine);
    forEachLine(lifelineOf(child), (line) => {
      const fault = this.running?.fault;
      if (fault?.kind === "crash") {
        fault.onCrash?.(requestOf(line));
      }
    });
    const exit = await ended(child);
    this.rest();
    const reason = exitFailure(exit.code, exit.signal);
    const failure =
      this.verdict ??
      (this.heapExhausted ? { ...reason, errorType: "Runtime.OutOfMemory" } : reason);
    this.report(failure);
    if (this.running !== undefined) {
      this.running.outcome ??= failed(failure, this.running.requestId, this.elapsed());
      this.settle();
    }
    return failure;
  }

  /**
   * Limits the time and the memory of what begins now.
   *
   * @param strikesAfterMs sooner than the timeout only where a fault asks for it
   */
  private work(timeoutMs: number, strikesAfterMs = timeoutMs): void {
    const { memoryMegabytes } = this.options;
    this.deadline = setTimeout(() => {
      const seconds = (timeoutMs / 1000).toFixed(2);
      this.condemn("timeout", "Sandbox.Timedout", `Task timed out after ${seconds} seconds`);
    }, strikesAfterMs);
    if (process.platform !== "linux") {
      return;
    }
    this.memoryWatch = setInterval(() => {
      if (residentMegabytes(this.child?.pid) <= memoryMegabytes) {
        return;
      }
      this.condemn("crash", "Runtime.OutOfMemory", "Runtime exited with error: signal: killed");
    }, MEMORY_WATCH_MS);
  }

  private rest(): void {
    clearTimeout(this.deadline);
    clearInterval(this.memoryWatch);
  }

  private condemn(kind: Failure["kind"], errorType: string, reason: string): void {
    this.verdict ??= { kind, errorType, reason };
    this.kill();
  }

  private answer(requestId: string, outcome: Omit<Outcome, "durationMs">): void {
    if (this.running?.requestId !== requestId) {
      return;
    }
    this.running.outcome ??= { ...outcome, durationMs: this.elapsed() };
  }

  private settle(): void {
    const { running } = this;
    this.running = undefined;
    if (running?.outcome === undefined) {
      throw new Error("The runtime asked for an invocation before it answered the one it had.");
    }
    running.resolve(running.outcome);
  }

  private elapsed(): number {
    return performance.now() - (this.running?.startedAt ?? 0);
  }

  /** Writes to the function's log what AWS writes there. */
  private report(failure: Failure): void {
    if (this.stopped) {
      return;
    }
    const requestId = this.running?.requestId;
    const line =
      failure.kind === "timeout"
        ? `${new Date().toISOString()} ${requestId ?? "init"} ${failure.reason}`
        : `${messageOf(failure, requestId)} ${failure.errorType}`;
    this.options.onLog(line, requestId);
  }

  private asInitError(failure: Failure): InitError {
    const payload = this.initError;
    if (payload === undefined) {
      return new InitError(failure.reason, (requestId) => failed(failure, requestId, 0));
    }
    const error = errorOf(payload);
    return new InitError(error.errorMessage, () => ({
      kind: "error",
      payload,
      ...error,
      durationMs: 0,
    }));
  }
}

function spawnRuntime(options: EnvironmentOptions, runtimeApi: string): ChildProcess {
  const { memoryMegabytes, taskRoot, compileCacheFolder } = options;
  const variables = environmentVariables({
    ...options,
    runtimeApi,
    runtimeDir: dirname(RUNTIME_CLIENT),
  });
  return spawn(
    process.execPath,
    [
      // The three flags and their shares of the memory are those of AWS's own start script.
      "--expose-gc",
      `--max-semi-space-size=${Math.floor(memoryMegabytes * 0.05)}`,
      `--max-old-space-size=${Math.floor(memoryMegabytes * 0.9)}`,
      "--require",
      NATIVE_CLIENT,
      RUNTIME_CLIENT,
    ],
    {
      cwd: taskRoot,
      env: { ...variables, _LOCAL_LIFELINE_FD: "3", _LOCAL_COMPILE_CACHE: compileCacheFolder },
      // The fourth is the lifeline (see ricClient.cjs).
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      // A process group of its own, so that what the function starts ends with it, and Ctrl-C in
      // the terminal reaches the host alone, which can then close in order.
      detached: process.platform !== "win32",
      windowsHide: true,
    },
  );
}

/** Waits until a process has ended and its output has been read. */
function ended(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  lifelineOf(child)?.resume().on("error", ignoreBrokenLifeline);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (child.pid !== undefined) {
        killGroup(child.pid);
      }
      const grace = setTimeout(() => {
        for (const stream of child.stdio) {
          stream?.destroy();
        }
      }, OUTPUT_GRACE_MS);
      child.once("close", () => {
        clearTimeout(grace);
        resolve({ code, signal });
      });
    });
  });
}

/** The pipe that tells a process that its host is gone, and the host at which call it crashed. */
function lifelineOf(child: ChildProcess): Readable | null {
  return (child.stdio[3] as Readable | null | undefined) ?? null;
}

/** The request at which a process crashed, as ricClient.cjs wrote it down. */
function requestOf(line: string): HttpRequest {
  const request = JSON.parse(line) as Omit<HttpRequest, "body"> & { body: string };
  return { ...request, body: Buffer.from(request.body) };
}

/** The lifeline breaks when the process dies, and its death is seen by the `exit` event. */
function ignoreBrokenLifeline(): void {
  return;
}

function killGroup(pid: number): void {
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
  } catch (error) {
    // Gone already, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error;
    }
  }
}

function forEachLine(stream: Readable | null, onLine: (line: string) => void): void {
  let rest = "";
  stream?.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  });
  stream?.once("end", () => {
    if (rest !== "") {
      onLine(rest);
    }
  });
}

/** Resident memory of a process in MB, or 0 when it is gone. Linux only. */
function residentMegabytes(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid ?? 0}/status`, "latin1");
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

const SIGNAL_NAMES: Record<string, string> = {
  SIGABRT: "aborted",
  SIGKILL: "killed",
  SIGSEGV: "segmentation fault",
  SIGTERM: "terminated",
};

function exitFailure(code: number | null, signal: string | null): Failure {
  const how =
    signal === null
      ? `exit status ${code ?? "unknown"}`
      : `signal: ${SIGNAL_NAMES[signal] ?? signal}`;
  return {
    kind: "crash",
    errorType: "Runtime.ExitError",
    reason:
      code === 0
        ? "Runtime exited without providing a reason"
        : `Runtime exited with error: ${how}`,
  };
}

function messageOf(failure: Failure, requestId: string | undefined): string {
  const error = `Error: ${failure.reason}`;
  return requestId === undefined ? error : `RequestId: ${requestId} ${error}`;
}

function failed(failure: Failure, requestId: string, durationMs: number): Outcome {
  const { kind, errorType } = failure;
  const errorMessage = messageOf(failure, requestId);
  return {
    kind,
    errorType,
    errorMessage,
    payload: JSON.stringify({ errorType, errorMessage }),
    durationMs,
  };
}

/** Reads the error that a runtime posted, with AWS's name for what is missing. */
function errorOf(payload: string): { errorType: string; errorMessage: string } {
  const { errorType, errorMessage } = JSON.parse(payload) as Partial<Record<string, string>>;
  return { errorType: errorType ?? "Runtime.Unknown", errorMessage: errorMessage ?? "" };
}

/** Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
function newTraceId(): string {
  const hex = (bytes: number): string => randomBytes(bytes).toString("hex");
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  return `Root=1-${seconds}-${hex(12)};Parent=${hex(8)};Sampled=0`;
}
