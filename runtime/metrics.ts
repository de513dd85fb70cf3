/**
 * Writes counts for CloudWatch: one line in its embedded metric format, from which it takes the
 * metrics without a call to its API.
 *
 * Written to stdout directly: in Lambda's JSON log format, console puts whatever it logs below
 * `message`, where CloudWatch finds no metrics
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
 *
 * @param namespace of the metrics, which have the function's name as their dimension
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
