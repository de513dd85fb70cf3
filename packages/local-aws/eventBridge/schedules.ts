import { randomUUID } from "node:crypto";

export interface SchedulesOptions {
  region: string;
  accountId: string;
  /** What the time between two starts is multiplied by. @default 1 */
  delayScale?: number;
  /**
   * Starts a function with a scheduled event, in the name of a rule.
   * @throws what the rule may not do
   */
  invoke(functionArn: string, event: object | string, ruleArn: string): void;
  onError: (message: string) => void;
}

const MINUTES: Record<string, number> = { minute: 1, hour: 60, day: 24 * 60 };

/** However small the scale: below, the machine would do nothing else. */
const SHORTEST_MS = 50;

/** Node's timers take no more, some 24 days, and would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** @throws Error for what is no rate, such as `cron(…)` */
function minutesOf(expression: string): number {
  const [, count, unit = ""] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const minutes = Number(count) * (MINUTES[unit] ?? NaN);
  if (!(minutes > 0)) {
    throw new Error(
      `The local EventBridge knows schedules such as rate(5 minutes), not "${expression}".`,
    );
  }
  return minutes;
}

/** EventBridge's rules with a schedule, which start their targets again and again. */
export class Schedules {
  private readonly rules = new Map<string, { arn: string; minutes: number }>();
  private readonly targets: { ruleName: string; functionArn: string; input?: string }[] = [];
  private readonly timers: NodeJS.Timeout[] = [];

  constructor(private readonly options: SchedulesOptions) {}

  /** @returns the rule's ARN */
  putRule(name: string, scheduleExpression: string): string {
    const { region, accountId } = this.options;
    const arn = `arn:aws:events:${region}:${accountId}:rule/${name}`;
    this.rules.set(name, { arn, minutes: minutesOf(scheduleExpression) });
    return arn;
  }

  /** @param input JSON text that the function gets instead of the scheduled event */
  putTarget(ruleName: string, functionArn: string, input?: string): void {
    this.ruleOf(ruleName);
    this.targets.push({ ruleName, functionArn, input });
  }

  /** From now on the rules fire; for the first time when their time is over once. */
  start(): void {
    const { delayScale = 1, onError } = this.options;
    for (const { ruleName, functionArn, input } of this.targets) {
      const { arn, minutes } = this.ruleOf(ruleName);
      const timer = setInterval(
        () => {
          try {
            this.options.invoke(functionArn, input ?? this.eventOf(arn), arn);
          } catch (error) {
            onError(`The rule ${ruleName} could not start its target: ${(error as Error).message}`);
          }
        },
        Math.min(Math.max(minutes * 60_000 * delayScale, SHORTEST_MS), LONGEST_MS),
      );
      // A schedule alone is no reason for a process to go on.
      this.timers.push(timer.unref());
    }
  }

  close(): void {
    for (const timer of this.timers.splice(0)) {
      clearInterval(timer);
    }
  }

  private ruleOf(name: string) {
    const rule = this.rules.get(name);
    if (!rule) {
      throw new Error(`There is no rule ${name}.`);
    }
    return rule;
  }

  /** Source: https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html */
  private eventOf(ruleArn: string): object {
    return {
      version: "0",
      id: randomUUID(),
      "detail-type": "Scheduled Event",
      source: "aws.events",
      account: this.options.accountId,
      time: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      region: this.options.region,
      resources: [ruleArn],
      detail: {},
    };
  }
}
