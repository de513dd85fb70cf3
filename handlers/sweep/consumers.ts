import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EVENT_STATUSES, type EventStatus } from "../../events/event";
import type { Position } from "../../store/redelivery/decision";
import { type DataPoint, metricData } from "./cloudWatch";

/** A Lambda that reads the table's stream. */
export interface Consumer {
  functionName: string;
  /** Its events have these. */
  statuses: EventStatus[];
}

/** How Lambda's metric of a stream's age is read. */
export interface Resolution {
  /** Seconds of a data point. */
  period: number;
  /** Seconds without an invocation after which none is expected any more. */
  quietSeconds: number;
  /** Seconds that records of a batch may be older than its last one, and take to be processed. */
  marginSeconds: number;
  /** Seconds of data to read: what is older is known from an earlier run. */
  rangeSeconds: number;
}

/**
 * Lambda's metrics are by the minute. Quiet: the longest invocation, the longest pause between two
 * retries, and the metric's own delay take less.
 */
const BY_MINUTE: Resolution = {
  period: 60,
  quietSeconds: 300,
  marginSeconds: 120,
  rangeSeconds: 3600,
};

/** Below these seconds, `stuckSeconds` is for a local run, which has metrics by the second. */
const SHORT_STUCK_SECONDS = 60;

/** The resolutions to try, best first. */
export function resolutionsFor(stuckSeconds: number): Resolution[] {
  if (stuckSeconds >= SHORT_STUCK_SECONDS) {
    return [BY_MINUTE];
  }
  const bySecond = {
    period: 1,
    quietSeconds: Math.max(2, stuckSeconds / 2),
    marginSeconds: Math.max(1, stuckSeconds / 4),
    rangeSeconds: 600,
  };
  return [bySecond, BY_MINUTE];
}

/** The consumers in the variable CONSUMERS: a function's name for each status, as JSON. */
export function consumersIn(json: string): Consumer[] {
  const functionNames = JSON.parse(json) as Partial<Record<EventStatus, string>>;
  const consumers: Consumer[] = [];
  for (const status of EVENT_STATUSES) {
    const functionName = functionNames[status];
    const known = consumers.find((consumer) => consumer.functionName === functionName);
    if (known) {
      known.statuses.push(status);
    } else if (functionName !== undefined) {
      consumers.push({ functionName, statuses: [status] });
    }
  }
  return consumers;
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/**
 * A consumer's position, from the metric IteratorAge: at each invocation, the age of the batch's last
 * record, in milliseconds; the maximum over all shards.
 *
 * A consumer at work has finished what is older than its slowest shard. One that is quiet has finished
 * or given up all that it was sent.
 *
 * @param points newest first
 * @param now seconds since 1970
 * @returns undefined without data
 */
export function positionOf(
  points: readonly DataPoint[],
  { period, quietSeconds, marginSeconds }: Resolution,
  now: number,
): Position | undefined {
  const [newest] = points;
  if (newest === undefined) {
    return undefined;
  }
  const isActive = now - (newest.start + period) < quietSeconds;
  // A record's time is in whole seconds: it may be younger by one.
  const reached = isActive
    ? newest.start - newest.value / 1000
    : newest.start + period + 1 - newest.value / 1000;
  const passed = isActive
    ? Math.min(
        ...points
          .filter(({ start }) => start >= newest.start - quietSeconds)
          .map(({ start, value }) => start - value / 1000),
      ) - marginSeconds
    : reached;
  return { passed: isoOf(passed), reached: isoOf(reached), isActive };
}

/** The position of each consumer; `passed` is empty where CloudWatch has no data. */
export async function readPositions(
  client: DynamoDBClient,
  consumers: readonly Consumer[],
  stuckSeconds: number,
): Promise<Position[]> {
  const resolutions = resolutionsFor(stuckSeconds);
  const now = Date.now() / 1000;
  const series = consumers.flatMap(({ functionName }, index) =>
    resolutions.map(({ period }) => ({
      id: `consumer${index}_${period}`,
      namespace: "AWS/Lambda",
      metricName: "IteratorAge",
      dimensions: { FunctionName: functionName },
      period,
      statistic: "Maximum" as const,
    })),
  );
  const range = Math.max(...resolutions.map(({ rangeSeconds }) => rangeSeconds));
  const data = await metricData(client, series, {
    from: Math.floor(now - range),
    to: Math.ceil(now),
  });
  return consumers.map((_, index) => {
    const known = resolutions
      .map((resolution, position) =>
        positionOf(data[index * resolutions.length + position] ?? [], resolution, now),
      )
      .find((position) => position !== undefined);
    return known ?? { passed: "", reached: "", isActive: false };
  });
}
