import { setMaxListeners } from "node:events";
import { setTimeout } from "node:timers/promises";
import { type AllowedCall, ConnectionReset, type Interceptor } from "../gateway/interceptor";
import type { HttpResponse } from "../http";
import type { Fault, LambdaHostOptions } from "../lambda/host";
import { describeCall } from "../services";
import { checkFaultPlan, type FaultPlan, type FaultRule } from "./plan";
import { draw } from "./random";
import { serverError, throttlingError } from "./serviceErrors";

/** A process that a fault ended. */
export interface CrashReport {
  /** Logical name, such as `notify`. */
  functionName: string;
  requestId: string;
  /** The call at which it died: `sns:Publish`. */
  operation: string;
  when: "before" | "after";
}

export interface FaultReport {
  /** How often each kind was injected. */
  injected: Record<string, number>;
  crashes: CrashReport[];
}

/** The faults of one run. */
export interface Faults {
  /** For the gateway; only calls of Lambdas are affected, never the operator's. */
  interceptCall: Interceptor;
  /** For the Lambda host. */
  interceptInvocation: NonNullable<LambdaHostOptions["intercept"]>;
  /**
   * When an object's event is delivered: one entry for each delivery, in ms from now.
   *
   * @param baseMs the delay without faults
   */
  objectEventDelays(baseMs: number): number[];
  /** Whether a delivered batch is redelivered. */
  replays(batch: readonly unknown[]): boolean;
  report(): FaultReport;
  /** Injects no more faults; delayed calls continue at once. */
  stop(): void;
}

const DEFAULT_MAX_CALL = 6;
const DEFAULT_EVENT_DELAY_MS = 1000;

type Kind = FaultRule["kind"];
type RuleOf<K extends Kind> = Extract<FaultRule, { kind: K }>;

/** A rule that applies, with the numbers from 0 up to 1 that decide how. */
interface Strike<K extends Kind> {
  rule: RuleOf<K>;
  pick: (purpose: string) => number;
}

const CALL_KINDS = ["throttle", "serverError", "reset", "latency", "slow", "outage"] as const;
/** Of them, those that delay a call and let it pass. */
const DELAYS: readonly Kind[] = ["latency", "slow"];
const INVOCATION_KINDS = ["crash", "timeout", "outage"] as const;
const OBJECT_EVENT_KINDS = [
  "duplicateObjectEvents",
  "reorderObjectEvents",
  "delayObjectEvents",
] as const;

/**
 * Makes the faults of a plan.
 *
 * Every choice is drawn from the seed, the rule (its kind, and its place among the rules of that
 * kind), its subject (the function and the operation) and the number of earlier choices for the same
 * three. So a choice does not depend on other rules, nor on concurrent calls; only the number of
 * choices varies from run to run.
 *
 * @throws StartError for a plan that is wrong
 */
export function createFaults(plan: FaultPlan): Faults {
  const { seed, rules } = checkFaultPlan(plan);
  const stopping = new AbortController();
  // Each delayed call listens.
  setMaxListeners(0, stopping.signal);
  const asked = new Map<string, number>();
  /** When the first call or invocation came that an outage concerns; milliseconds, monotonic. */
  const outages = new Map<FaultRule, number>();
  const injected: Record<string, number> = {};
  const crashes: CrashReport[] = [];
  const named = rules.map((rule, index) => {
    const place = rules.slice(0, index).filter(({ kind }) => kind === rule.kind).length;
    return { rule, name: `${rule.kind} ${place}` };
  });

  function count(kind: Kind): void {
    injected[kind] = (injected[kind] ?? 0) + 1;
  }

  /** Whether the rule is an outage that has not begun, or has ended. */
  function isOver(rule: FaultRule): boolean {
    if (rule.kind !== "outage") {
      return false;
    }
    const now = performance.now();
    const first = outages.get(rule) ?? now;
    outages.set(rule, first);
    const seconds = (now - first) / 1000 - (rule.afterSeconds ?? 0);
    return seconds < 0 || seconds >= rule.seconds;
  }

  /** Draws for every rule, even after one applies: a rule's draws do not depend on others. */
  function ask<K extends Kind>(
    kinds: readonly K[],
    subject: string,
    concerns: (rule: RuleOf<K>) => boolean = () => true,
  ): Strike<K>[] {
    if (stopping.signal.aborted) {
      return [];
    }
    return named.flatMap(({ rule, name }) => {
      if (!isOf(rule, kinds) || !concerns(rule)) {
        return [];
      }
      const question = `${name} ${subject}`;
      const times = asked.get(question) ?? 0;
      asked.set(question, times + 1);
      const pick = (purpose: string): number => draw(seed, question, times, purpose);
      return pick("strike") < rule.share && !isOver(rule) ? [{ rule, pick }] : [];
    });
  }

  async function holdUp(milliseconds: number): Promise<void> {
    try {
      await setTimeout(milliseconds, undefined, { signal: stopping.signal });
    } catch (error) {
      // Stopped: the call continues at once.
      if (!stopping.signal.aborted) {
        throw error;
      }
    }
  }

  /** Forwards a call, and holds up its answer as long as `slow` rules demand. */
  async function slowly(
    strikes: { rule: FaultRule }[],
    forward: () => Promise<HttpResponse>,
  ): Promise<HttpResponse> {
    const startedAt = performance.now();
    const answer = await forward();
    const ownMs = performance.now() - startedAt;
    for (const { rule } of strikes) {
      if (rule.kind === "slow") {
        count(rule.kind);
        await holdUp(ownMs * (rule.factor - 1));
      }
    }
    return answer;
  }

  async function interceptCall(
    { service, operation, principal: { functionName } }: AllowedCall,
    forward: () => Promise<HttpResponse>,
  ): Promise<HttpResponse> {
    if (functionName === undefined) {
      return forward();
    }
    const name = operation.slice(operation.indexOf(":") + 1);
    const strikes = ask(
      CALL_KINDS,
      `${logicalName(functionName)} ${operation}`,
      (rule) =>
        (rule.service ?? service) === service &&
        (rule.operation ?? name) === name &&
        !(rule.kind === "outage" && rule.function !== undefined),
    );
    for (const { rule } of strikes) {
      if (rule.kind !== "latency") {
        continue;
      }
      count(rule.kind);
      await holdUp(rule.milliseconds);
    }
    const failure = strikes.find(({ rule }) => !DELAYS.includes(rule.kind));
    if (failure === undefined) {
      return slowly(strikes, forward);
    }
    const { rule, pick } = failure;
    count(rule.kind);
    if (rule.kind === "throttle") {
      throw throttlingError(service, pick("form"));
    }
    if (rule.kind === "serverError" || rule.kind === "outage") {
      throw serverError(service, pick("form"));
    }
    if (pick("when") < 0.5) {
      await forward();
    }
    throw new ConnectionReset(`${operation} of ${functionName}: a fault that was asked for`);
  }

  function interceptInvocation({
    functionName: physicalName,
    requestId,
  }: Parameters<Faults["interceptInvocation"]>[0]): Fault | undefined {
    const functionName = logicalName(physicalName);
    const [strike] = ask(
      INVOCATION_KINDS,
      functionName,
      (rule) =>
        (rule.function ?? functionName) === functionName &&
        !(rule.kind === "outage" && rule.function === undefined),
    );
    if (strike === undefined) {
      return undefined;
    }
    const { rule, pick } = strike;
    if (rule.kind === "timeout") {
      count(rule.kind);
      return { kind: "timeout" };
    }
    if (rule.kind === "outage") {
      count(rule.kind);
      const errorMessage = `${functionName} is away (a fault that was asked for)`;
      return { kind: "error", errorType: "Outage", errorMessage };
    }
    const when = pick("when") < 0.5 ? "before" : "after";
    return {
      kind: "crash",
      call: 1 + Math.floor(pick("call") * (rule.maxCall ?? DEFAULT_MAX_CALL)),
      when,
      onCrash: (request) => {
        count(rule.kind);
        const operation = describeCall(request);
        crashes.push({ functionName, requestId, operation, when });
      },
    };
  }

  function objectEventDelays(baseMs: number): number[] {
    const delays = [baseMs];
    const strikes = ask(OBJECT_EVENT_KINDS, "event");
    for (const { rule, pick } of strikes) {
      count(rule.kind);
      const milliseconds = rule.milliseconds ?? DEFAULT_EVENT_DELAY_MS;
      const later = rule.kind === "delayObjectEvents" ? milliseconds : milliseconds * pick("delay");
      if (rule.kind === "duplicateObjectEvents") {
        delays.push(baseMs + later);
      }
      // Its duplicate has a delay of its own.
      else {
        delays[0] = (delays[0] ?? baseMs) + later;
      }
    }
    return delays;
  }

  function replays(): boolean {
    const strikes = ask(["replayStream"], "batch");
    for (const { rule } of strikes) {
      count(rule.kind);
    }
    return strikes.length > 0;
  }

  return {
    interceptCall,
    interceptInvocation,
    objectEventDelays,
    replays,
    report: () => ({ injected: { ...injected }, crashes: [...crashes] }),
    stop: () => {
      stopping.abort();
    },
  };
}

function isOf<K extends Kind>(rule: FaultRule, kinds: readonly K[]): rule is RuleOf<K> {
  return (kinds as readonly Kind[]).includes(rule.kind);
}

/**
 * The logical name in a function's physical one, which ends with seven characters more, as Pulumi's
 * names do. A name without them is returned unchanged.
 */
export function logicalName(functionName: string): string {
  return functionName.replace(/-[0-9a-f]{7}$/, "");
}
