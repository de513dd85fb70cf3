import { StartError } from "../startError";
import { nearest, OPERATIONS } from "./operations";
import { newSeed, SEED_LIMIT } from "./random";

interface Rule {
  /** Share of all calls, invocations, events or batches that it applies to: from 0 to 1. */
  share: number;
}

interface CallRule extends Rule {
  /** As in a credential scope: `dynamodb`, `s3`, … @default every one */
  service?: string;
  /** Such as `PutItem`. @default every one */
  operation?: string;
}

interface FunctionRule extends Rule {
  /** Logical name, such as `process`. @default every one */
  function?: string;
}

/** A kind of fault, and how often it is injected. */
export type FaultRule =
  /** Throttled or failed before it took effect, with the service's own error. */
  | ({ kind: "throttle" | "serverError" } & CallRule)
  /** The connection is reset, before or after the call took effect. */
  | ({ kind: "reset" } & CallRule)
  | ({ kind: "latency"; milliseconds: number } & CallRule)
  /** It takes this many times as long. */
  | ({ kind: "slow"; factor: number } & CallRule)
  /**
   * A service or one of its operations answers every call with an error, or a function fails every
   * invocation, and is back after `seconds`. It has `service` or `function`.
   */
  | ({
      kind: "outage";
      seconds: number;
      /** From the first call or invocation that it concerns on. @default 0 */
      afterSeconds?: number;
    } & CallRule &
      FunctionRule)
  /** The process dies at one of its first calls: before it is sent, or after its answer arrived. */
  | ({
      kind: "crash";
      /** @default 6 */
      maxCall?: number;
    } & FunctionRule)
  | ({ kind: "timeout" } & FunctionRule)
  /** A second delivery, up to this much later. @default 1000 */
  | ({ kind: "duplicateObjectEvents"; milliseconds?: number } & Rule)
  /** Later by a random part of this, so that others overtake it. @default 1000 */
  | ({ kind: "reorderObjectEvents"; milliseconds?: number } & Rule)
  /** Later by this much. @default 1000 */
  | ({ kind: "delayObjectEvents"; milliseconds?: number } & Rule)
  /** A delivered batch of stream records is redelivered. */
  | ({ kind: "replayStream" } & Rule);

/** The faults to inject into a run. */
export interface FaultPlan {
  /** Every random choice comes from it. A whole number from 0 up to, not including, 2^32. */
  seed: number;
  rules: FaultRule[];
}

interface Field {
  allowed: string;
  passes(value: unknown): boolean;
}

const SERVICES = Object.keys(OPERATIONS);

function wholeNumber(least: number, most: number): Field {
  return {
    allowed: `a whole number from ${least} to ${most}`,
    passes: (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  };
}

function text(allowed: string, form: RegExp): Field {
  return { allowed, passes: (value) => typeof value === "string" && form.test(value) };
}

const SEED = wholeNumber(0, SEED_LIMIT - 1);

const FIELDS = {
  share: {
    allowed: "a number from 0 to 1",
    passes: (value) => typeof value === "number" && value >= 0 && value <= 1,
  },
  service: {
    allowed: `one of ${SERVICES.join(", ")}`,
    passes: (value) => SERVICES.includes(value as string),
  },
  operation: text('an operation such as "PutItem"', /^[A-Z][A-Za-z]+$/),
  function: text('the logical name of a Lambda, such as "process"', /^[\w-]+$/),
  milliseconds: wholeNumber(0, 60_000),
  maxCall: wholeNumber(1, 1000),
  factor: wholeNumber(1, 1000),
  seconds: wholeNumber(0, 86_400),
  afterSeconds: wholeNumber(0, 86_400),
} satisfies Record<string, Field>;

type FieldName = keyof typeof FIELDS;

const CALL_FIELDS: FieldName[] = ["share", "service", "operation"];
const OBJECT_EVENT_FIELDS: FieldName[] = ["share", "milliseconds"];

const KINDS: Record<FaultRule["kind"], { fields: FieldName[]; required: FieldName[] }> = {
  throttle: { fields: CALL_FIELDS, required: ["share"] },
  serverError: { fields: CALL_FIELDS, required: ["share"] },
  reset: { fields: CALL_FIELDS, required: ["share"] },
  latency: { fields: [...CALL_FIELDS, "milliseconds"], required: ["share", "milliseconds"] },
  slow: { fields: [...CALL_FIELDS, "factor"], required: ["share", "factor"] },
  outage: {
    fields: [...CALL_FIELDS, "function", "seconds", "afterSeconds"],
    required: ["share", "seconds"],
  },
  crash: { fields: ["share", "function", "maxCall"], required: ["share"] },
  timeout: { fields: ["share", "function"], required: ["share"] },
  duplicateObjectEvents: { fields: OBJECT_EVENT_FIELDS, required: ["share"] },
  reorderObjectEvents: { fields: OBJECT_EVENT_FIELDS, required: ["share"] },
  delayObjectEvents: { fields: OBJECT_EVENT_FIELDS, required: ["share"] },
  replayStream: { fields: ["share"], required: ["share"] },
};

/**
 * Reads a plan from JSON, and chooses a seed where it has none.
 *
 * @throws StartError in one line: the problem, its place, and the allowed values
 */
export function parseFaultPlan(json: string): FaultPlan {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    // The message shows the text around the error, line breaks included.
    throw new StartError(`it is not JSON: ${(error as Error).message.replaceAll(/\s+/g, " ")}`);
  }
  return checkFaultPlan(isObject(value) ? { seed: newSeed(), ...value } : value);
}

/** @throws StartError in one line: the problem, its place, and the allowed values */
export function checkFaultPlan(plan: unknown): FaultPlan {
  if (!isObject(plan)) {
    throw wrong("the plan", plan, "an object with seed and rules");
  }
  const { seed, rules, ...others } = plan;
  for (const name of Object.keys(others)) {
    throw unknownField(name, "seed, rules");
  }
  if (!SEED.passes(seed)) {
    throw wrong("seed", seed, SEED.allowed);
  }
  if (!Array.isArray(rules)) {
    throw wrong("rules", rules, "an array of rules");
  }
  rules.forEach((rule, index) => {
    checkRule(rule, `rules[${index}]`);
  });
  return plan as unknown as FaultPlan;
}

function checkRule(rule: unknown, where: string): void {
  if (!isObject(rule)) {
    throw wrong(where, rule, "an object with kind and share");
  }
  const { kind, ...values } = rule;
  if (typeof kind !== "string" || !Object.hasOwn(KINDS, kind)) {
    throw wrong(`${where}.kind`, kind, `one of ${Object.keys(KINDS).join(", ")}`);
  }
  const { fields, required } = KINDS[kind as FaultRule["kind"]];
  for (const name of Object.keys(values)) {
    if (!(fields as string[]).includes(name)) {
      throw unknownField(`${where}.${name}`, ["kind", ...fields].join(", "));
    }
  }
  for (const name of fields) {
    const value = values[name];
    if (value === undefined && !required.includes(name)) {
      continue;
    }
    if (!FIELDS[name].passes(value)) {
      throw wrong(`${where}.${name}`, value, FIELDS[name].allowed);
    }
  }
  if (kind === "outage" && (values.service === undefined) === (values.function === undefined)) {
    throw new StartError(`${where} needs either service or function, to name what is away`);
  }
  checkOperation(values, where);
}

/** @throws StartError for an operation that the service, or any service, does not have here */
function checkOperation({ service, operation }: Record<string, unknown>, where: string): void {
  const services = service === undefined ? SERVICES : [service as string];
  const names = [...new Set(services.flatMap((each) => OPERATIONS[each] ?? []))];
  if (typeof operation !== "string" || names.includes(operation)) {
    return;
  }
  const near = nearest(operation, names);
  const allowed =
    near.length > 0
      ? `${near.join(", ")}, and others (README of local-aws)`
      : `one of ${names.sort().join(", ")}`;
  throw wrong(`${where}.operation`, operation, allowed);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(where: string, value: unknown, allowed: string): StartError {
  const state = value === undefined ? "is missing" : `is ${JSON.stringify(value)}`;
  return new StartError(`${where} ${state}; allowed: ${allowed}`);
}

function unknownField(where: string, allowed: string): StartError {
  return new StartError(`${where} is not known; allowed: ${allowed}`);
}
