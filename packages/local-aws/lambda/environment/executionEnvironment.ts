import { randomBytes } from "node:crypto";
import type { Fault } from "../fault";
import { INIT_TIMEOUT_MS } from "../limits";
import {
  errorOf,
  exitFailure,
  failed,
  type Failure,
  initError,
  logLineOf,
  type Outcome,
} from "./outcome";
import { type RuntimeApi, startRuntimeApi } from "./runtimeApi";
import { type RuntimeOptions, type RuntimeProcess, spawnRuntime } from "./runtimeProcess";

/** Milliseconds that an inspected function believes to have: a day. */
const INSPECTED_MS = 86_400_000;

/** How often the memory of a busy environment is checked, in ms. */
const MEMORY_WATCH_MS = 50;

/** A function's settings for one environment. */
export interface EnvironmentOptions extends Omit<
  RuntimeOptions,
  "runtimeApi" | "runtimeSecret" | "onLine" | "onCrash"
> {
  functionArn: string;
  timeoutSeconds: number;
  /** Gets every line of stdout and stderr, and the platform's own lines. */
  onLog(line: string, requestId: string | undefined): void;
}

/**
 * One Lambda execution environment: a process that runs the function's package under AWS's runtime
 * interface client, one invocation at a time.
 */
export interface ExecutionEnvironment {
  /** Rejects with {@link InitError} when the function cannot be loaded. */
  readonly ready: Promise<void>;
  /** Resolves when the process and all that it started are gone; never rejects. */
  readonly gone: Promise<void>;
  /** `performance.now()` when it became ready; Infinity before. */
  readyAt(): number;
  /** How many invocations it has taken. */
  invocations(): number;
  /** False after its process's exit event. */
  alive(): boolean;
  /** Runs one invocation; the environment must be ready, alive and free. */
  invoke(invocation: {
    requestId: string;
    /** JSON text in UTF-8. */
    payload: Buffer;
    fault: Fault | undefined;
  }): Promise<Outcome>;
  /** Ends the process at once, as a crash of its machine would. */
  kill(): void;
  /** Ends the process because it is not needed any more, without a log line. */
  stop(): void;
}

interface Running {
  requestId: string;
  fault: Fault | undefined;
  startedAt: number;
  /** Set by the runtime's answer; the invocation is over when the runtime asks for the next one. */
  outcome?: Outcome;
  resolve(outcome: Outcome): void;
}

/** Starts an environment: its process, and the Runtime API that the process asks for invocations. */
export function startEnvironment(options: EnvironmentOptions): ExecutionEnvironment {
  const { functionArn, timeoutSeconds, memoryMegabytes, inspectPort } = options;
  let api: RuntimeApi | undefined;
  let runtime: RuntimeProcess | undefined;
  let running: Running | undefined;
  let readyAt = Infinity;
  let invocations = 0;
  let initErrorPayload: string | undefined;
  /** Why the host ended the process. */
  let verdict: Failure | undefined;
  let stopped = false;
  let heapExhausted = false;
  let deadline: NodeJS.Timeout | undefined;
  let memoryWatch: NodeJS.Timeout | undefined;

  const {
    promise: ready,
    resolve: onReady,
    reject: onUnready,
  } = Promise.withResolvers<undefined>();

  /** Starts the process and resolves, when it has ended, with the reason. */
  async function live(): Promise<Failure> {
    api = await startRuntimeApi({
      onNext: () => {
        if (running && !running.outcome) {
          condemn(
            "crash",
            "Runtime.ExitError",
            "The runtime asked for an invocation before it answered the one it had.",
          );
          return;
        }
        stopLimits();
        if (running) {
          settleAfterLog(running);
        } else {
          readyAt = performance.now();
          onReady(undefined);
        }
      },
      onResponse: (requestId, payload) => {
        answer(requestId, { kind: "ok", payload });
      },
      onError: (requestId, payload) => {
        answer(requestId, { kind: "error", payload, ...errorOf(payload) });
      },
      onInitError: (payload) => {
        initErrorPayload = payload;
      },
    });
    try {
      return stopped ? exitFailure(0, null) : await runProcess(api);
    } finally {
      api.close();
    }
  }

  async function runProcess(runtimeApi: RuntimeApi): Promise<Failure> {
    runtime = spawnRuntime({
      ...options,
      runtimeApi: runtimeApi.address,
      runtimeSecret: runtimeApi.secret,
      onLine: (line) => {
        heapExhausted ||= line.includes("JavaScript heap out of memory");
        options.onLog(line, running?.requestId);
      },
      onCrash: (request) => {
        if (running?.fault?.kind === "crash") {
          running.fault.onCrash?.(request);
        }
      },
    });
    if (runtime.invocations) {
      runtimeApi.serve(runtime.invocations);
    }
    startLimits(INIT_TIMEOUT_MS);
    const { code, signal } = await runtime.ended;
    stopLimits();
    const exit = exitFailure(code, signal);
    const failure =
      verdict ?? (heapExhausted ? { ...exit, errorType: "Runtime.OutOfMemory" } : exit);
    if (!stopped) {
      options.onLog(logLineOf(failure, running?.requestId), running?.requestId);
    }
    if (running) {
      running.outcome ??= failed(failure, running.requestId, elapsedMs(running));
      settle(running);
    }
    return failure;
  }

  /**
   * Limits the time and the memory from now on.
   *
   * @param strikesAfterMs shorter than the timeout only where a fault demands it
   */
  function startLimits(timeoutMs: number, strikesAfterMs = timeoutMs): void {
    // At a breakpoint, time passes for the person only; the debugger takes memory.
    if (inspectPort !== undefined) {
      return;
    }
    deadline = setTimeout(() => {
      const seconds = (timeoutMs / 1000).toFixed(2);
      condemn("timeout", "Sandbox.Timedout", `Task timed out after ${seconds} seconds`);
    }, strikesAfterMs);
    if (process.platform !== "linux") {
      return;
    }
    memoryWatch = setInterval(() => {
      if ((runtime?.residentMegabytes() ?? 0) > memoryMegabytes) {
        condemn("crash", "Runtime.OutOfMemory", "Runtime exited with error: signal: killed");
      }
    }, MEMORY_WATCH_MS);
  }

  function stopLimits(): void {
    clearTimeout(deadline);
    clearInterval(memoryWatch);
  }

  function condemn(kind: Failure["kind"], errorType: string, reason: string): void {
    verdict ??= { kind, errorType, reason };
    runtime?.kill();
  }

  function answer(requestId: string, outcome: Omit<Outcome, "durationMs">): void {
    if (running?.requestId === requestId) {
      running.outcome ??= { ...outcome, durationMs: elapsedMs(running) };
    }
  }

  function settle(invocation: Running): void {
    running = undefined;
    if (invocation.outcome) {
      invocation.resolve(invocation.outcome);
    }
  }

  /** The log comes by other pipes: what was written before the answer is read in this turn. */
  function settleAfterLog(invocation: Running): void {
    setImmediate(() => {
      if (running === invocation) {
        settle(invocation);
      }
    });
  }

  const gone = live().then(
    (failure) => {
      onUnready(initError(failure, initErrorPayload));
    },
    (error: unknown) => {
      onUnready(error);
    },
  );

  return {
    ready,
    gone,
    readyAt: () => readyAt,
    invocations: () => invocations,
    alive: () => runtime?.alive() ?? false,
    invoke({ requestId, payload, fault }) {
      const timeoutMs = inspectPort === undefined ? timeoutSeconds * 1000 : INSPECTED_MS;
      invocations++;
      return new Promise((resolve) => {
        running = { requestId, fault, startedAt: performance.now(), resolve };
        startLimits(timeoutMs, fault?.kind === "timeout" ? 0 : timeoutMs);
        api?.send({
          requestId,
          payload,
          functionArn,
          deadlineMs: Date.now() + timeoutMs,
          traceId: newTraceId(),
          ...(fault?.kind === "crash" && { crash: fault }),
        });
      });
    },
    kill() {
      runtime?.kill();
    },
    stop() {
      stopped = true;
      runtime?.kill();
    },
  };
}

function elapsedMs({ startedAt }: Running): number {
  return performance.now() - startedAt;
}

/** Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
function newTraceId(): string {
  const hex = randomBytes(20).toString("hex");
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  return `Root=1-${seconds}-${hex.slice(0, 24)};Parent=${hex.slice(24)};Sampled=0`;
}
