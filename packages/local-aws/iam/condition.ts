import { BlockList, isIP } from "node:net";
import { conditionArn } from "./arnPattern";
import { compilePattern, type Context, type Reading, type Test } from "./pattern";

/** Whether a request's context fulfils one key of a condition. */
export type Condition = (context: Context) => boolean;

/** Compiles a value of a policy. @throws Error for a value of another type */
type Compile = (wanted: string, reading: Reading) => Test;

const equals: Compile = (wanted, reading) => compilePattern(wanted, reading);
const equalsIgnoreCase: Compile = (wanted, reading) =>
  compilePattern(wanted, { ...reading, ignoreCase: true });
const like: Compile = (wanted, reading) => compilePattern(wanted, { ...reading, wildcards: true });

/** An operator on values that have an order, and neither wildcards nor variables. */
const ordered =
  (kind: string, read: (text: string) => number | undefined) =>
  (holds: (found: number, wanted: number) => boolean): Compile =>
  (wanted) => {
    const limit = read(wanted);
    if (limit === undefined) {
      throw new Error(`"${wanted}" is not a ${kind}`);
    }
    return (text) => {
      const found = read(text);
      return found === undefined ? undefined : holds(found, limit);
    };
  };
const numeric = ordered("number", readNumber);
const date = ordered("date: give ISO 8601 or seconds since 1970", readDate);

const isEqual = (found: number, wanted: number): boolean => found === wanted;
const isLess = (found: number, wanted: number): boolean => found < wanted;
const isLessOrEqual = (found: number, wanted: number): boolean => found <= wanted;
const isGreater = (found: number, wanted: number): boolean => found > wanted;
const isGreaterOrEqual = (found: number, wanted: number): boolean => found >= wanted;

const bool: Compile = (wanted, reading) => {
  const test = equalsIgnoreCase(wanted, reading);
  return (text, context) => (/^(?:true|false)$/i.test(text) ? test(text, context) : undefined);
};

const binary: Compile = (wanted) => {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(wanted)) {
    throw new Error(`"${wanted}" is not base64`);
  }
  const bytes = Buffer.from(wanted, "base64");
  return (text) => Buffer.from(text, "base64").equals(bytes);
};

const ipAddress: Compile = (wanted) => {
  const [address = "", bits, ...others] = wanted.split("/");
  const version = isIP(address);
  const maximum = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? maximum : Number(bits);
  const isPrefix = /^\d{1,3}$/.test(bits ?? "0") && prefix <= maximum;
  if (version === 0 || !isPrefix || others.length > 0) {
    throw new Error(`"${wanted}" is neither an IP address nor a range of addresses (CIDR)`);
  }
  const range = new BlockList();
  range.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  return (text) => {
    const found = isIP(text);
    // Node takes an IPv4 address for the IPv6 address that it is mapped to.
    return found === 0
      ? undefined
      : found === version && range.check(text, found === 4 ? "ipv4" : "ipv6");
  };
};

/** By their names in lower case, which is how they are looked up: operators have any case. */
const OPERATORS = new Map<string, { name: string; compile: Compile; isNegated: boolean }>();
for (const [name, compile, negatedName] of [
  ["StringEquals", equals, "StringNotEquals"],
  ["StringEqualsIgnoreCase", equalsIgnoreCase, "StringNotEqualsIgnoreCase"],
  ["StringLike", like, "StringNotLike"],
  ["NumericEquals", numeric(isEqual), "NumericNotEquals"],
  ["NumericLessThan", numeric(isLess)],
  ["NumericLessThanEquals", numeric(isLessOrEqual)],
  ["NumericGreaterThan", numeric(isGreater)],
  ["NumericGreaterThanEquals", numeric(isGreaterOrEqual)],
  ["DateEquals", date(isEqual), "DateNotEquals"],
  ["DateLessThan", date(isLess)],
  ["DateLessThanEquals", date(isLessOrEqual)],
  ["DateGreaterThan", date(isGreater)],
  ["DateGreaterThanEquals", date(isGreaterOrEqual)],
  ["Bool", bool],
  ["BinaryEquals", binary],
  ["IpAddress", ipAddress, "NotIpAddress"],
  // These behave alike.
  ["ArnEquals", conditionArn, "ArnNotEquals"],
  ["ArnLike", conditionArn, "ArnNotLike"],
] satisfies [string, Compile, string?][]) {
  OPERATORS.set(name.toLowerCase(), { name, compile, isNegated: false });
  if (negatedName !== undefined) {
    OPERATORS.set(negatedName.toLowerCase(), { name: negatedName, compile, isNegated: true });
  }
}

/**
 * Compiles one key of a condition block.
 *
 * @param written the operator, such as `ForAnyValue:StringLikeIfExists`
 * @param values one of them must fit; none may, for a negated operator
 * @throws Error for an unknown operator, and a value that it does not take
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export function compileCondition(
  written: string,
  key: string,
  values: readonly string[],
  reading: Reading,
): Condition {
  const name = key.toLowerCase();
  if (written.toLowerCase() === "null") {
    return (context) => {
      const isAbsent = String(context(name) === undefined);
      return values.some((value) => value.toLowerCase() === isAbsent);
    };
  }

  const [, quantifier, base = "", ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/i.exec(written) ?? [];
  const operator = OPERATORS.get(base.toLowerCase());
  if (!operator) {
    throw new Error(
      `the condition operator "${written}" is not one of IAM's: Null, ` +
        [...OPERATORS.values()].map((known) => known.name).join(", "),
    );
  }
  const { compile, isNegated } = operator;
  const tests = values.map((value) => compile(value, reading));
  const fits = (found: string, context: Context): boolean =>
    isNegated
      ? tests.every((test) => test(found, context) === false)
      : tests.some((test) => test(found, context));

  return (context) => {
    const found = context(name);
    if (found === undefined && ifExists) {
      return true;
    }
    if (quantifier?.toLowerCase() === "forallvalues") {
      return (found ?? []).every((value) => fits(value, context));
    }
    if (quantifier) {
      return (found ?? []).some((value) => fits(value, context));
    }
    if (found === undefined) {
      return isNegated;
    }
    return isNegated
      ? found.every((value) => fits(value, context))
      : found.some((value) => fits(value, context));
  };
}

function readNumber(text: string): number | undefined {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : undefined;
}

/** @returns milliseconds since 1970; a number with more digits than a year has is seconds */
function readDate(text: string): number | undefined {
  if (/^-?\d+$/.test(text) && !/^\d{4}$/.test(text)) {
    return Number(text) * 1000;
  }
  const time = /^\d{4}(?:-\d\d){0,2}(?:T.*)?$/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
