import { AwsError, notImplemented } from "../awsError";
import type { Aggregate, MetricId, Metrics } from "./metrics";

/** The parameters of GetMetricData, as each of the protocols names them. */
type Parameters = Record<string, unknown>;

/** The data of one query. */
export interface MetricDataResult {
  Id: string;
  Label: string;
  Timestamps: Date[];
  Values: number[];
  StatusCode: "Complete" | "PartialData";
}

export interface MetricDataAnswer {
  MetricDataResults: MetricDataResult[];
  NextToken?: string;
  Messages: [];
}

/** CloudWatch's quotas for one call. */
const MAX_QUERIES = 500;
const MAX_DATA_POINTS = 100_800;

/** Seconds; every multiple of 60 is one, too. */
const SHORT_PERIODS = [1, 5, 10, 20, 30];

const STATISTICS: Record<string, (aggregate: Aggregate) => number> = {
  Average: ({ sum, count }) => sum / count,
  Maximum: ({ maximum }) => maximum,
  Minimum: ({ minimum }) => minimum,
  SampleCount: ({ count }) => count,
  Sum: ({ sum }) => sum,
};

function invalid(message: string): AwsError {
  return new AwsError("ValidationError", 400, message);
}

function missing(name: string): AwsError {
  return new AwsError("MissingParameter", 400, `The parameter ${name} is required.`);
}

function recordOf(value: unknown, name: string): Parameters {
  if (value === undefined) {
    throw missing(name);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(`The parameter ${name} is not a structure.`);
  }
  return value as Parameters;
}

function listOf(value: unknown, name: string): unknown[] {
  if (value !== undefined && !Array.isArray(value)) {
    throw invalid(`The parameter ${name} is not a list.`);
  }
  return value ?? [];
}

function textOf(value: unknown, name: string): string {
  if (value === undefined || value === "") {
    throw missing(name);
  }
  if (typeof value !== "string") {
    throw invalid(`The parameter ${name} is not a string.`);
  }
  return value;
}

function numberOf(value: unknown, name: string): number {
  if (value === undefined) {
    throw missing(name);
  }
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isSafeInteger(number)) {
    throw invalid(`The parameter ${name} is not a whole number.`);
  }
  return number;
}

/** A timestamp in seconds since 1970: of the query protocol as ISO 8601, of the others as a number. */
function timeOf(value: unknown, name: string): number {
  if (value === undefined) {
    throw missing(name);
  }
  const seconds =
    typeof value === "string" && Number.isNaN(Number(value))
      ? Date.parse(value) / 1000
      : Number(value instanceof Date ? value.getTime() / 1000 : value);
  if (!Number.isFinite(seconds)) {
    throw invalid(`The parameter ${name} is not a timestamp.`);
  }
  return seconds;
}

function dimensionsOf(value: unknown, name: string): Record<string, string> {
  return Object.fromEntries(
    listOf(value, name).map((each, index) => {
      const at = `${name}.member.${index + 1}`;
      const dimension = recordOf(each, at);
      return [textOf(dimension.Name, `${at}.Name`), textOf(dimension.Value, `${at}.Value`)];
    }),
  );
}

/** One of the queries, read. */
interface Query {
  id: string;
  label: string;
  metric: MetricId;
  period: number;
  statistic: (aggregate: Aggregate) => number;
  returned: boolean;
}

function queryOf(value: unknown, index: number): Query {
  const at = `MetricDataQueries.member.${index + 1}`;
  const query = recordOf(value, at);
  const id = textOf(query.Id, `${at}.Id`);
  if (!/^[a-z]\w{0,254}$/.test(id)) {
    throw invalid(`The value ${id} for parameter ${at}.Id is not matching: it begins with a-z.`);
  }
  if (query.Expression !== undefined) {
    throw notImplemented("cloudwatch:GetMetricData", " with an Expression");
  }
  const stat = recordOf(query.MetricStat, `${at}.MetricStat`);
  const metric = recordOf(stat.Metric, `${at}.MetricStat.Metric`);
  const period = numberOf(stat.Period, `${at}.MetricStat.Period`);
  if (period <= 0 || (period % 60 !== 0 && !SHORT_PERIODS.includes(period))) {
    throw invalid(
      `The value ${period} for parameter ${at}.MetricStat.Period is not 1, 5, 10, 20, 30 or a multiple of 60.`,
    );
  }
  const name = textOf(stat.Stat, `${at}.MetricStat.Stat`);
  const statistic = Object.hasOwn(STATISTICS, name) ? STATISTICS[name] : undefined;
  if (statistic === undefined) {
    throw notImplemented("cloudwatch:GetMetricData", ` with the statistic ${name}`);
  }
  const metricName = textOf(metric.MetricName, `${at}.MetricStat.Metric.MetricName`);
  return {
    id,
    label: typeof query.Label === "string" ? query.Label : metricName,
    metric: {
      namespace: textOf(metric.Namespace, `${at}.MetricStat.Metric.Namespace`),
      name: metricName,
      dimensions: dimensionsOf(metric.Dimensions, `${at}.MetricStat.Metric.Dimensions`),
    },
    period,
    statistic,
    returned: query.ReturnData !== false && query.ReturnData !== "false",
  };
}

function queriesOf(value: unknown): Query[] {
  const queries = listOf(value, "MetricDataQueries").map(queryOf);
  if (queries.length === 0) {
    throw missing("MetricDataQueries");
  }
  if (queries.length > MAX_QUERIES) {
    throw invalid(`The collection MetricDataQueries must have at most ${MAX_QUERIES} elements.`);
  }
  if (new Set(queries.map(({ id }) => id)).size < queries.length) {
    throw invalid("The values for parameter Id in MetricDataQueries are not unique.");
  }
  return queries;
}

/** Data points that were returned before. */
function offsetOf(token: unknown): number {
  if (token === undefined) {
    return 0;
  }
  const offset = Number(token);
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new AwsError("InvalidNextToken", 400, "The next token specified is invalid.");
  }
  return offset;
}

/**
 * Answers GetMetricData.
 *
 * @throws AwsError ValidationError or MissingParameter 400, which names the parameter;
 *   NotImplemented 501 for expressions and percentiles
 */
export function getMetricData(metrics: Metrics, parameters: Parameters): MetricDataAnswer {
  const queries = queriesOf(parameters.MetricDataQueries);
  const from = timeOf(parameters.StartTime, "StartTime");
  const to = timeOf(parameters.EndTime, "EndTime");
  if (from >= to) {
    throw invalid("The parameter StartTime must be less than the parameter EndTime.");
  }
  const most =
    parameters.MaxDatapoints === undefined
      ? MAX_DATA_POINTS
      : numberOf(parameters.MaxDatapoints, "MaxDatapoints");
  const scanBy = parameters.ScanBy ?? "TimestampDescending";
  if (scanBy !== "TimestampDescending" && scanBy !== "TimestampAscending") {
    throw invalid(`The value for parameter ScanBy is invalid: ${JSON.stringify(scanBy)}.`);
  }
  let skip = offsetOf(parameters.NextToken);
  let room = Math.min(most, MAX_DATA_POINTS);
  const next = skip + room;
  const results = queries
    .filter(({ returned }) => returned)
    .map(({ id, label, metric, period, statistic }): MetricDataResult => {
      // CloudWatch rounds the start down to a whole period.
      const points = metrics.read(metric, period, from - (from % period), to);
      const ordered = scanBy === "TimestampDescending" ? points.reverse() : points;
      const page = ordered.slice(skip, skip + room);
      const rest = ordered.length - Math.min(ordered.length, skip) - page.length;
      skip = Math.max(0, skip - ordered.length);
      room -= page.length;
      return {
        Id: id,
        Label: label,
        Timestamps: page.map(({ start }) => new Date(start * 1000)),
        Values: page.map(statistic),
        StatusCode: rest > 0 ? "PartialData" : "Complete",
      };
    });
  return {
    MetricDataResults: results,
    Messages: [],
    ...(results.some(({ StatusCode }) => StatusCode === "PartialData") && {
      NextToken: String(next),
    }),
  };
}
