import { setTimeout as delay } from "node:timers/promises";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { isTransient } from "../../runtime/awsErrors";
import { serviceError, signedCall } from "../../runtime/signedCall";

/** One of the requested time series. */
export interface MetricQuery {
  /** Unique in the request; begins with a lower-case letter. */
  id: string;
  namespace: string;
  metricName: string;
  dimensions: Record<string, string>;
  /** Seconds. */
  period: number;
  statistic: "Maximum";
}

/** A period with data. */
export interface DataPoint {
  /** Seconds since 1970. */
  start: number;
  value: number;
}

const TRIES = 3;

/** Milliseconds before the second try; doubled before the third. */
const RETRY_MS = 200;

interface Answer {
  MetricDataResults?: { Id: string; Timestamps: number[]; Values: number[] }[];
  __type?: string;
  message?: string;
}

function inputOf({ id, namespace, metricName, dimensions, period, statistic }: MetricQuery) {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const Metric = { Namespace: namespace, MetricName: metricName, Dimensions };
  return { Id: id, MetricStat: { Metric, Period: period, Stat: statistic } };
}

/** @throws an error named as CloudWatch's */
async function call(client: DynamoDBClient, operation: string, input: object): Promise<Answer> {
  const { status, text } = await signedCall(client, {
    service: "monitoring",
    endpointVariable: "AWS_ENDPOINT_URL_CLOUDWATCH",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `GraniteServiceVersion20100801.${operation}`,
    },
    body: JSON.stringify(input),
  });
  const answer = (text.startsWith("{") ? JSON.parse(text) : {}) as Answer;
  if (status !== 200) {
    const code = answer.__type?.split("#").at(-1) ?? "UnknownError";
    throw serviceError(code, answer.message ?? `CloudWatch answered ${status}.`, status);
  }
  return answer;
}

/**
 * CloudWatch's GetMetricData.
 *
 * @param client signs the request
 * @param from,to seconds since 1970
 * @returns the data of each query, newest first
 */
export async function metricData(
  client: DynamoDBClient,
  queries: MetricQuery[],
  { from, to }: { from: number; to: number },
): Promise<DataPoint[][]> {
  const input = {
    MetricDataQueries: queries.map(inputOf),
    StartTime: from,
    EndTime: to,
    ScanBy: "TimestampDescending",
  };
  for (let tries = 1; ; tries += 1) {
    try {
      const { MetricDataResults: results = [] } = await call(client, "GetMetricData", input);
      return queries.map(({ id }) => {
        const { Timestamps: starts = [], Values: values = [] } =
          results.find(({ Id }) => Id === id) ?? {};
        return starts.map((start, index) => ({ start, value: values[index] ?? 0 }));
      });
    } catch (error) {
      if (tries === TRIES || !isTransient(error)) {
        throw error;
      }
      await delay(RETRY_MS * 2 ** (tries - 1));
    }
  }
}
