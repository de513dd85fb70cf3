import type { Metrics } from "./metrics";

/** An invocation that ended. */
export interface EndedInvocation {
  functionName: string;
  durationMs: number;
  failed: boolean;
}

/** Lambda's own metrics of its functions. */
export interface LambdaMetrics {
  invoked(invocation: EndedInvocation): void;
  /**
   * A batch of a stream was sent to a function, also one that failed there.
   *
   * @param lastArrival of the batch's last record, in seconds since 1970
   * @param sent seconds since 1970
   */
  batchSent(functionName: string, lastArrival: number, sent: number): void;
}

/**
 * Records the metrics that Lambda publishes in the namespace AWS/Lambda, with the dimension
 * FunctionName (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html).
 */
export function createLambdaMetrics(metrics: Metrics): LambdaMetrics {
  const record = (functionName: string, name: string, value: number, seconds: number) => {
    const dimensions = { FunctionName: functionName };
    metrics.record({ namespace: "AWS/Lambda", name, dimensions }, value, seconds);
  };
  return {
    invoked({ functionName, durationMs, failed }) {
      const now = Date.now() / 1000;
      record(functionName, "Invocations", 1, now);
      record(functionName, "Errors", failed ? 1 : 0, now);
      record(functionName, "Duration", durationMs, now);
    },
    batchSent(functionName, lastArrival, sent) {
      const age = Math.max(0, Math.round((sent - lastArrival) * 1000));
      record(functionName, "IteratorAge", age, sent);
    },
  };
}
