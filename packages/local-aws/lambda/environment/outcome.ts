/** How one invocation ended. */
export interface Outcome {
  kind: "ok" | "error" | "timeout" | "crash";
  /** JSON text: the handler's result, or the error as AWS hands it to the caller. */
  payload: string;
  errorType?: string;
  errorMessage?: string;
  /** Milliseconds from sending the event to the runtime until its response. */
  durationMs: number;
}

/** Why an environment's process ended, in the platform's terms. */
export interface Failure {
  kind: "timeout" | "crash";
  errorType: string;
  reason: string;
}

/** The environment's process ended before it could take an invocation. */
export class InitError extends Error {
  override readonly name = "InitError";
  /** @param outcomeOf the outcome of the invocation that waited for the environment */
  constructor(
    message: string,
    readonly outcomeOf: (requestId: string) => Outcome,
  ) {
    super(message);
  }
}

const SIGNAL_NAMES: Record<string, string> = {
  SIGABRT: "aborted",
  SIGKILL: "killed",
  SIGSEGV: "segmentation fault",
  SIGTERM: "terminated",
};

/** A process that ended by itself. */
export function exitFailure(code: number | null, signal: string | null): Failure {
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

/** The line that AWS writes to the function's log. */
export function logLineOf(failure: Failure, requestId: string | undefined): string {
  return failure.kind === "timeout"
    ? `${new Date().toISOString()} ${requestId ?? "init"} ${failure.reason}`
    : `${messageOf(failure, requestId)} ${failure.errorType}`;
}

/** The outcome of an invocation whose process ended. */
export function failed(failure: Failure, requestId: string, durationMs: number): Outcome {
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

/** Reads the error that a runtime posted; AWS's own name stands for a missing type. */
export function errorOf(payload: string): { errorType: string; errorMessage: string } {
  const { errorType, errorMessage } = JSON.parse(payload) as Partial<Record<string, string>>;
  return { errorType: errorType ?? "Runtime.Unknown", errorMessage: errorMessage ?? "" };
}

/** @param payload of the runtime's init error; without one the process ended without saying why */
export function initError(failure: Failure, payload: string | undefined): InitError {
  if (payload === undefined) {
    return new InitError(failure.reason, (requestId) => failed(failure, requestId, 0));
  }
  const error = errorOf(payload);
  const outcome: Outcome = { kind: "error", payload, ...error, durationMs: 0 };
  return new InitError(error.errorMessage, () => outcome);
}

function messageOf(failure: Failure, requestId: string | undefined): string {
  const error = `Error: ${failure.reason}`;
  return requestId === undefined ? error : `RequestId: ${requestId} ${error}`;
}
