import type { Runtime } from "node:inspector";
import { type Token, tokenizer } from "acorn";
import { internalPropertyOf, propertiesOf, valueOf } from "../components/lambda/inspector";

/** Functions and objects that one function may capture, directly or not. */
const MAX_VALUES = 100;

/** What functions have by themselves. */
const OF_FUNCTIONS: unknown[] = ["length", "name", "prototype", "arguments", "caller"];

/** The variables that a function can see outside of itself, globals left out; inner ones win. */
function scopeOf(inspected: object): Map<string, Runtime.RemoteObject> {
  const scopes = internalPropertyOf(inspected, "[[Scopes]]")?.objectId;
  if (scopes === undefined) {
    throw new Error("A bound or native function shows no scopes.");
  }
  const found = new Map<string, Runtime.RemoteObject>();
  for (const { name, value: scope } of propertiesOf(scopes).result) {
    const isScope = /^\d+$/.test(name) && scope?.objectId !== undefined;
    if (!isScope || /^(Global|Script)/.test(scope.description ?? "")) {
      continue;
    }
    for (const variable of propertiesOf(scope.objectId ?? "").result) {
      if (variable.value && !found.has(variable.name)) {
        found.set(variable.name, variable.value);
      }
    }
  }
  return found;
}

/** The names of variables and properties in a function's code. */
function namesIn(code: string): Set<unknown> {
  // acorn's types leave out what a token has.
  const tokens = [...tokenizer(code, { ecmaVersion: "latest" })] as (Token & { value?: unknown })[];
  return new Set(tokens.filter(({ type }) => type.label === "name").map(({ value }) => value));
}

/**
 * A text that is the same for two functions only if they have the same code and have captured the
 * same values.
 *
 * @param nameOf names a function or module that is the same in every load of the same sources
 * @returns undefined for a function that captures a value which cannot be compared: neither plain data
 *   nor a function of known code, and without a name
 */
export function capturedValues(
  inspected: (...args: never[]) => unknown,
  nameOf: (value: object) => string | undefined,
): string | undefined {
  const seen = new Map<object, number>();

  const describe = (value: unknown): unknown => {
    const isJsonNumber = Number.isFinite(value) && !Object.is(value, -0);
    if (typeof value === "symbol" || (typeof value === "number" && !isJsonNumber)) {
      throw new Error("Not plain data.");
    }
    if ((typeof value !== "object" && typeof value !== "function") || value === null) {
      return typeof value === "bigint" ? `${value}n` : { is: value };
    }
    const name = nameOf(value);
    if (name !== undefined) {
      return name;
    }
    const earlier = seen.get(value);
    if (earlier !== undefined) {
      return { seen: earlier };
    }
    if (seen.size === MAX_VALUES) {
      throw new Error("Too many captured values.");
    }
    seen.set(value, seen.size);
    if (typeof value === "function") {
      const code = value.toString();
      const names = Reflect.ownKeys(value).filter((key) => !OF_FUNCTIONS.includes(key));
      if (code.includes("[native code]") || /^class\b/.test(code) || names.length > 0) {
        throw new Error("More than code and captured values.");
      }
      const variables = namesIn(code);
      const used = [...scopeOf(value)].filter(([variable]) => variables.has(variable));
      return [code, used.map(([variable, remote]) => [variable, describe(valueOf(remote))])];
    }
    if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) {
      throw new Error("Not plain data.");
    }
    if (!Array.isArray(value) && Reflect.ownKeys(value).length > Object.keys(value).length) {
      throw new Error("A property that is not seen.");
    }
    return [
      Array.isArray(value),
      Object.entries(value).map(([key, item]) => [key, describe(item)]),
    ];
  };

  try {
    return JSON.stringify(describe(inspected));
  } catch {
    // Whatever the reason is, the function is one that cannot be compared.
    return undefined;
  }
}
