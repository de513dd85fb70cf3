import { randomUUID } from "node:crypto";

export interface SchedulesOptions {
  region: string;
  accountId: string;
  /** Multiplies the interval of every rule. @default 1 */
  delayScale?: number;
  /**
   * Starts a function with a scheduled event, on behalf of a rule.
   * @throws AwsError where the function's policy does not allow it
   */
  invoke: (functionArn: string, event: object | string, ruleArn: string) => void;
  onError: (message: string) => void;
}

const MINUTES: Record<string, number> = { minute: 1, hour: 60, day: 24 * 60 };

/** The shortest interval at any scale: below it, the machine would do nothing else. */
const SHORTEST_MS = 50;

/** The longest interval of Node's timers, some 24 days: above it they fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** @throws Error for a schedule that is not a rate, such as `cron(…)` */
function minutesOf(expression: string): number {
  const [, count, unit = ""] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const minutes = Number(count) * (MINUTES[unit] ?? NaN);
  if (!(minutes > 0)) {
    throw new Error(
      `The schedule "${expression}" is not served. Use a rate, such as rate(5 minutes).`,
    );
  }
  return minutes;
}

/** EventBridge's rules with a schedule, each with its targets. */
export interface Schedules {
  /** @returns the rule's ARN */
  putRule(name: string, scheduleExpression: string): string;
  /** @param input JSON text that the function gets instead of the scheduled event */
  putTarget(ruleName: string, functionArn: string, input?: string): void;
  /** Starts the rules; each fires for the first time after its interval. */
  start(): void;
  close(): void;
}

export function createSchedules(options: SchedulesOptions): Schedules {
  const { region, accountId, delayScale = 1, invoke, onError } = options;
  const rules = new Map<string, { arn: string; minutes: number }>();
  const targets: { ruleName: string; functionArn: string; input?: string }[] = [];
  const timers: NodeJS.Timeout[] = [];

  function ruleOf(name: string) {
    const rule = rules.get(name);
    if (!rule) {
      throw new Error(`There is no rule ${name}.`);
    }
    return rule;
  }

  /** Source: https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html */
  function eventOf(ruleArn: string): object {
    return {
      version: "0",
      id: randomUUID(),
      "detail-type": "Scheduled Event",
      source: "aws.events",
      account: accountId,
      time: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      region,
      resources: [ruleArn],
      detail: {},
    };
  }

  return {
    putRule(name, scheduleExpression) {
      const arn = `arn:aws:events:${region}:${accountId}:rule/${name}`;
      rules.set(name, { arn, minutes: minutesOf(scheduleExpression) });
      return arn;
    },
    putTarget(ruleName, functionArn, input) {
      ruleOf(ruleName);
      targets.push({ ruleName, functionArn, input });
    },
    start() {
      for (const { ruleName, functionArn, input } of targets) {
        const { arn, minutes } = ruleOf(ruleName);
        const timer = setInterval(
          () => {
            try {
              invoke(functionArn, input ?? eventOf(arn), arn);
            } catch (error) {
              const reason = (error as Error).message;
              onError(`The rule ${ruleName} could not start its target: ${reason}`);
            }
          },
          Math.min(Math.max(minutes * 60_000 * delayScale, SHORTEST_MS), LONGEST_MS),
        );
        // A schedule alone does not keep a process running.
        timers.push(timer.unref());
      }
    },
    close() {
      for (const timer of timers.splice(0)) {
        clearInterval(timer);
      }
    },
  };
}
