/** Which metric a value belongs to. */
export interface MetricId {
  /** Such as `AWS/Lambda`. */
  namespace: string;
  /** Such as `IteratorAge`. */
  name: string;
  /** By name; all of them identify the metric. */
  dimensions: Readonly<Record<string, string>>;
}

/** What CloudWatch keeps of the values of one period. */
export interface Aggregate {
  count: number;
  sum: number;
  minimum: number;
  maximum: number;
}

/** The aggregate of a period, and the period's start in seconds since 1970. */
export interface DataPoint extends Aggregate {
  start: number;
}

/** The metrics of a run. */
export interface Metrics {
  /** @param seconds since 1970 */
  record(metric: MetricId, value: number, seconds: number): void;
  /**
   * The periods with values that begin from `from` on and before `to`, oldest first.
   *
   * @param period seconds
   */
  read(metric: MetricId, period: number, from: number, to: number): DataPoint[];
}

/** Seconds for which values are kept: as CloudWatch keeps those of one second. */
const KEPT_SECONDS = 3 * 60 * 60;

/** The seconds of one metric, oldest first as a rule. */
type Seconds = Map<number, Aggregate>;

function keyOf({ namespace, name, dimensions }: MetricId): string {
  const sorted = Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([namespace, name, sorted]);
}

function merged(a: Aggregate | undefined, b: Aggregate): Aggregate {
  return a === undefined
    ? { ...b }
    : {
        count: a.count + b.count,
        sum: a.sum + b.sum,
        minimum: Math.min(a.minimum, b.minimum),
        maximum: Math.max(a.maximum, b.maximum),
      };
}

/** Keeps values by the second, in memory. */
export function createMetrics(): Metrics {
  const metrics = new Map<string, Seconds>();

  function forget(seconds: Seconds, now: number): void {
    for (const second of seconds.keys()) {
      if (second >= now - KEPT_SECONDS) {
        return;
      }
      seconds.delete(second);
    }
  }

  return {
    record(metric, value, time) {
      const key = keyOf(metric);
      const seconds = metrics.get(key) ?? new Map<number, Aggregate>();
      metrics.set(key, seconds);
      const second = Math.floor(time);
      const own = { count: 1, sum: value, minimum: value, maximum: value };
      seconds.set(second, merged(seconds.get(second), own));
      forget(seconds, second);
    },
    read(metric, period, from, to) {
      const periods = new Map<number, Aggregate>();
      for (const [second, aggregate] of metrics.get(keyOf(metric)) ?? []) {
        const start = second - (second % period);
        if (start >= from && start < to) {
          periods.set(start, merged(periods.get(start), aggregate));
        }
      }
      return [...periods]
        .map(([start, aggregate]) => ({ start, ...aggregate }))
        .sort((a, b) => a.start - b.start);
    },
  };
}
