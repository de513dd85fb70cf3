import type { AllowedCall, HttpResponse } from "local-aws";

/** CloudWatch's data of Lambdas that have come to the end of the stream just now. */
export function upToDate({ operation, request }: AllowedCall): HttpResponse | undefined {
  if (operation !== "cloudwatch:GetMetricData") {
    return undefined;
  }
  const { MetricDataQueries: queries } = JSON.parse(request.body.toString()) as {
    MetricDataQueries: { Id: string }[];
  };
  const Timestamps = [Math.floor(Date.now() / 1000)];
  const MetricDataResults = queries.map(({ Id }) => ({ Id, Timestamps, Values: [0] }));
  return {
    status: 200,
    headers: { "content-type": "application/x-amz-json-1.0" },
    body: Buffer.from(JSON.stringify({ MetricDataResults })),
  };
}
