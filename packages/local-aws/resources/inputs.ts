import { LEAVE_OUT, notServed, type Registration } from "./resource";

/** How local-aws treats one input of a resource, wherever the program sets it. */
export type InputRule =
  /** With all that is inside it; within a range, if there is one. */
  | { kind: "served"; range?: readonly [least: number, most: number] }
  /** Values of these alone, or texts of this form; each element of a list. */
  | { kind: "only"; accepted: readonly unknown[] | RegExp; remedy: string }
  | { kind: "withoutEffect"; reason: string }
  | { kind: "refused"; remedy: string }
  /** An object, or a list of objects: rules for what is inside. */
  | { kind: "parts"; parts: InputRules };

/** By the input's name. An input without a rule is refused. */
export type InputRules = Readonly<Record<string, InputRule>>;

/** Rules at least for the inputs that a handler reads. */
export type RulesFor<Inputs> = {
  readonly [Name in keyof Required<Inputs>]: InputRule;
} & InputRules;

export const served: InputRule = { kind: "served" };

/** Numbers that AWS accepts, both ends included. */
export function between(least: number, most: number): InputRule {
  return { kind: "served", range: [least, most] };
}

/** @param remedy a sentence */
export function only(accepted: readonly unknown[] | RegExp, remedy: string = LEAVE_OUT): InputRule {
  return { kind: "only", accepted, remedy };
}

/** @param reason a sentence of README.md's table */
export function withoutEffect(reason: string): InputRule {
  return { kind: "withoutEffect", reason };
}

/** @param remedy a sentence that fits better than the general one */
export function refused(remedy: string): InputRule {
  return { kind: "refused", remedy };
}

export function parts(rules: InputRules): InputRule {
  return { kind: "parts", parts: rules };
}

/** One rule for several inputs. */
export function each(names: readonly string[], rule: InputRule): InputRules {
  return Object.fromEntries(names.map((name) => [name, rule]));
}

/** Reasons that hold for several resource types. */
export const NO_EFFECT = {
  billing: withoutEffect("A run costs nothing, and has the capacity of this machine."),
  deletion: withoutEffect("The end of a run removes everything, or leaves all to the next run."),
  description: withoutEffect("It is a note for people."),
  encryption: withoutEffect("The machine's own disk encryption applies."),
  expiry: withoutEffect("Nothing on this machine expires."),
  monitoring: withoutEffect(
    "Of metrics there are Lambda's own alone, and no traces and access logs; logs are events of the run.",
  ),
};

/** Rules of every resource type. */
export const EVERYWHERE = each(["description", "tags"], NO_EFFECT.description);

/** The provider takes these for an input that is not set. */
function isUnset(value: unknown): boolean {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const inside = Object.values(value);
    return inside.length > 0 && inside.every(isUnset);
  }
  const isEmpty = Array.isArray(value) && value.length === 0;
  return value === undefined || value === null || value === false || value === "" || isEmpty;
}

function elements(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

/**
 * Checks what a program sets on a resource.
 *
 * @throws Error with the resource's type and name, the input's name and the remedy
 */
export function checkInputs(
  resource: Registration<Record<string, unknown>>,
  rules: InputRules,
  region: string,
): void {
  const inRegion = only([region], `The run's only region is ${region}: leave the input out.`);

  function checkAll(values: object, within: InputRules, path: string): void {
    for (const [name, value] of Object.entries(values)) {
      const rule = Object.hasOwn(within, name) ? within[name] : undefined;
      check(path + name, value, rule);
    }
  }

  function check(name: string, value: unknown, rule?: InputRule): void {
    switch (rule?.kind) {
      case "served":
        if (rule.range && value !== undefined) {
          checkRange(name, Number(value), rule.range);
        }
        return;
      case "withoutEffect":
        return;
      case "parts":
        for (const element of elements(value)) {
          if (typeof element === "object" && element !== null) {
            checkAll(element, rule.parts, `${name}.`);
          }
        }
        return;
      case "only":
        checkValues(name, value, rule.accepted, rule.remedy);
        return;
      case "refused":
      case undefined:
        if (!isUnset(value)) {
          throw notServed(resource, `has the input ${name}`, rule?.remedy);
        }
    }
  }

  function checkRange(
    name: string,
    value: number,
    [least, most]: readonly [least: number, most: number],
  ): void {
    if (!(value >= least && value <= most)) {
      throw notServed(
        resource,
        `has the input ${name} of ${value}`,
        `AWS accepts values from ${least} to ${most}.`,
      );
    }
  }

  function checkValues(
    name: string,
    value: unknown,
    accepted: readonly unknown[] | RegExp,
    remedy: string,
  ): void {
    const isAccepted = (element: unknown) =>
      accepted instanceof RegExp ? accepted.test(String(element)) : accepted.includes(element);
    const other = elements(value ?? []).find((element) => !isAccepted(element));
    if (other !== undefined && other !== "") {
      throw notServed(resource, `has the input ${name} of ${JSON.stringify(other)}`, remedy);
    }
  }

  checkAll(resource.inputs, { ...EVERYWHERE, region: inRegion, ...rules }, "");
}
