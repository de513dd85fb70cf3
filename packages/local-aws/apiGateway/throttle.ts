/** A token bucket's settings, as in MethodSettings and UsagePlan. */
export interface ThrottleSettings {
  /** Requests per second that are added to the bucket; a negative number inherits the account's. */
  rateLimit: number;
  /** Requests that the bucket holds; a negative number inherits the account's. */
  burstLimit: number;
}

/** How many requests a key may make in each calendar day, week (from Sunday) or month, in UTC. */
export interface QuotaSettings {
  limit: number;
  period: "DAY" | "WEEK" | "MONTH";
}

/** A usage plan with the keys that belong to it. */
export interface UsagePlan {
  keys: { id: string; value: string }[];
  throttle?: ThrottleSettings;
  quota?: QuotaSettings;
}

/** Why a request is refused: a gateway response type. */
export type Refusal = "THROTTLED" | "QUOTA_EXCEEDED";

/** A known API key: its id, and `admit`, which counts one request against its usage plan. */
export interface AdmittedKey {
  id: string;
  admit(): Refusal | undefined;
}

type Clock = () => number;

// An account's limits in a Region, which hold wherever a stage or a plan sets none (-1).
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const ACCOUNT_RATE = 10_000;
const ACCOUNT_BURST = 5_000;

/**
 * The token bucket of one client or one method: it starts full and fills continuously.
 *
 * @param now milliseconds, as of `Date.now`
 * @returns takes one token; false when there is none
 */
export function createTokenBucket(settings: ThrottleSettings, now: Clock): () => boolean {
  const rate = settings.rateLimit < 0 ? ACCOUNT_RATE : settings.rateLimit;
  const burst = settings.burstLimit < 0 ? ACCOUNT_BURST : settings.burstLimit;
  let tokens = burst;
  let filledAt = now();
  return () => {
    const time = now();
    tokens = Math.min(burst, tokens + ((time - filledAt) / 1000) * rate);
    filledAt = time;
    if (tokens < 1) {
      return false;
    }
    tokens -= 1;
    return true;
  };
}

/**
 * The limits of a stage, which API Gateway applies to each method by itself.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
 *
 * @returns takes one token of that method; false when it is throttled
 */
export function createStageThrottle(
  settings: ThrottleSettings | undefined,
  now: Clock,
): (method: string) => boolean {
  if (!settings) {
    return () => true;
  }
  const buckets = new Map<string, () => boolean>();
  return (method) => {
    const take = buckets.get(method) ?? createTokenBucket(settings, now);
    buckets.set(method, take);
    return take();
  };
}

function startOfPeriod(period: QuotaSettings["period"], time: number): number {
  const date = new Date(time);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  switch (period) {
    case "DAY":
      return Date.UTC(year, month, day);
    case "WEEK":
      return Date.UTC(year, month, day - date.getUTCDay());
    case "MONTH":
      return Date.UTC(year, month);
  }
}

function createQuota({ limit, period }: QuotaSettings, now: Clock): () => boolean {
  let start = -Infinity;
  let used = 0;
  return () => {
    const current = startOfPeriod(period, now());
    if (current !== start) {
      start = current;
      used = 0;
    }
    if (used >= limit) {
      return false;
    }
    used += 1;
    return true;
  };
}

/**
 * The API keys of a stage's usage plans. Each key has a bucket and a quota of its own.
 *
 * @returns finds a key by its value; undefined when no usage plan of the stage has it
 * @throws Error when a key is in two plans, which API Gateway does not accept for one stage
 */
export function createUsagePlans(
  plans: UsagePlan[],
  now: Clock,
): (value: string) => AdmittedKey | undefined {
  const keys = new Map<string, AdmittedKey>();
  for (const plan of plans) {
    for (const { id, value } of plan.keys) {
      if (keys.has(value)) {
        throw new Error(
          `API key ${id} belongs to two usage plans of the same stage; API Gateway allows one. ` +
            "Remove one of its UsagePlanKeys.",
        );
      }
      const take = plan.throttle ? createTokenBucket(plan.throttle, now) : () => true;
      const count = plan.quota ? createQuota(plan.quota, now) : () => true;
      keys.set(value, {
        id,
        admit() {
          if (!take()) {
            return "THROTTLED";
          }
          return count() ? undefined : "QUOTA_EXCEEDED";
        },
      });
    }
  }
  return (value) => keys.get(value);
}
