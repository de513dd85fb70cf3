import type { Crash } from "../fault";

/** One invocation, as the runtime interface client receives it. */
export interface RuntimeInvocation {
  requestId: string;
  /** Epoch milliseconds at which the function's timeout strikes. */
  deadlineMs: number;
  functionArn: string;
  traceId: string;
  /** JSON text in UTF-8. */
  payload: Buffer;
  crash?: Pick<Crash, "call" | "when">;
}

/** The headers of the Runtime API's answer to a call for an invocation. */
export function invocationHeaders(
  invocation: Omit<RuntimeInvocation, "payload">,
): Record<string, string> {
  const { requestId, deadlineMs, functionArn, traceId, crash } = invocation;
  return {
    "lambda-runtime-aws-request-id": requestId,
    "lambda-runtime-deadline-ms": String(deadlineMs),
    "lambda-runtime-invoked-function-arn": functionArn,
    "lambda-runtime-trace-id": traceId,
    ...(crash && { "x-local-crash": `${crash.when} ${crash.call}` }),
  };
}
