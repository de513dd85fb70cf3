import { type Runtime, Session } from "node:inspector";

/**
 * The global variables through which values pass from and to the inspector, which has no other way
 * to name a value of this process.
 */
const passed = globalThis as { __inspected?: unknown };

/** Functions and objects that one function may capture, directly or not. */
const MAX_VALUES = 100;

let session: Session | undefined;

/** One for the process: disconnecting it would invalidate the objects of Pulumi's own session. */
function openSession(): Session {
  if (!session) {
    session = new Session();
    session.connect();
  }
  return session;
}

/** Asks the inspector of this very process, which answers before the call returns. */
function ask(method: string, params: object): unknown {
  let outcome: { error: Error | null; answer?: object } | undefined;
  openSession().post(method, params, (error: Error | null, answer?: object) => {
    outcome = { error, answer };
  });
  if (!outcome?.answer || outcome.error) {
    throw outcome?.error ?? new Error(`The inspector did not answer ${method}.`);
  }
  return outcome.answer;
}

function propertiesOf(objectId: string): Runtime.GetPropertiesReturnType {
  const params = { objectId, ownProperties: true };
  return ask("Runtime.getProperties", params) as Runtime.GetPropertiesReturnType;
}

function valueOf({ objectId, value, unserializableValue }: Runtime.RemoteObject): unknown {
  if (unserializableValue !== undefined) {
    throw new Error("NaN, -0 and their like are no JSON.");
  }
  if (objectId === undefined) {
    return value as unknown;
  }
  const functionDeclaration = "function () { globalThis.__inspected = this; }";
  ask("Runtime.callFunctionOn", { objectId, functionDeclaration });
  const found = passed.__inspected;
  delete passed.__inspected;
  return found;
}

/** The variables that a function can see outside of itself, globals left out; inner ones win. */
function scopeOf(inspected: object): Map<string, Runtime.RemoteObject> {
  passed.__inspected = inspected;
  const expression = "globalThis.__inspected";
  const { result } = ask("Runtime.evaluate", { expression }) as Runtime.EvaluateReturnType;
  delete passed.__inspected;
  const { internalProperties = [] } = propertiesOf(result.objectId ?? "");
  const scopes = internalProperties.find(({ name }) => name === "[[Scopes]]")?.value?.objectId;
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
      if (code.includes("[native code]") || Object.keys(value).length > 0) {
        throw new Error("More than code and captured values.");
      }
      const scope = scopeOf(value);
      const used = [...scope].filter(([variable]) => code.includes(variable));
      return [code, used.map(([variable, remote]) => [variable, describe(valueOf(remote))])];
    }
    if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) {
      throw new Error("Not plain data.");
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
