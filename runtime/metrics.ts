/**
 * Publishes counts as CloudWatch metrics: one line in the embedded metric format, without an API
 * call.
 *
 * The line goes to stdout directly: in Lambda's JSON log format, console nests objects below
 * `message`, where CloudWatch does not look for metrics
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
 *
 * @param namespace of the metrics; their dimension is the function's name
 */
export function writeCounts(namespace: string, counts: Record<string, number>): void {
  const entry = {
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [["FunctionName"]],
          Metrics: Object.keys(counts).map((name) => ({ Name: name, Unit: "Count" })),
        },
      ],
    },
    FunctionName: process.env.AWS_LAMBDA_FUNCTION_NAME ?? "",
    ...counts,
  };
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}
