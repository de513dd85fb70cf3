import { type Runtime, Session } from "node:inspector";
import { fileURLToPath } from "node:url";

/**
 * The global variable through which values pass to and from the inspector, which has no other way to name a
 * value of this process.
 */
const passed = globalThis as { __inspected?: unknown };

/** URLs of this process's scripts, by id; once a file was asked for. */
let scripts: Map<string, string> | undefined;

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
function ask(method: string, params: object = {}): unknown {
  let outcome: { error: Error | null; answer?: object } | undefined;
  openSession().post(method, params, (error: Error | null, answer?: object) => {
    outcome = { error, answer };
  });
  if (!outcome?.answer || outcome.error) {
    throw outcome?.error ?? new Error(`The inspector did not answer ${method}.`);
  }
  return outcome.answer;
}

/** An object's own properties, as the inspector has them. */
export function propertiesOf(objectId: string): Runtime.GetPropertiesReturnType {
  const params = { objectId, ownProperties: true };
  return ask("Runtime.getProperties", params) as Runtime.GetPropertiesReturnType;
}

/** One of the properties that V8 gives a function, such as `[[Scopes]]`. */
export function internalPropertyOf(fn: unknown, name: string): Runtime.RemoteObject | undefined {
  passed.__inspected = fn;
  const expression = "globalThis.__inspected";
  const { result } = ask("Runtime.evaluate", { expression }) as Runtime.EvaluateReturnType;
  delete passed.__inspected;
  const { internalProperties = [] } = propertiesOf(result.objectId ?? "");
  return internalProperties.find((property) => property.name === name)?.value;
}

/** @throws for a number that is no JSON */
export function valueOf({ objectId, value, unserializableValue }: Runtime.RemoteObject): unknown {
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

function scriptUrls(): Map<string, string> {
  if (!scripts) {
    const urls = (scripts = new Map<string, string>());
    openSession().on("Debugger.scriptParsed", ({ params }) => {
      const { scriptId, url } = params;
      urls.set(scriptId, url);
    });
    // Tells of all scripts, those parsed already first.
    ask("Debugger.enable");
  }
  return scripts;
}

/** The path of the file in which a function is written; undefined where that is not known. */
export function fileOf(fn: unknown): string | undefined {
  const urls = scriptUrls();
  const location = internalPropertyOf(fn, "[[FunctionLocation]]") as
    { value?: { scriptId: string } } | undefined;
  const url = urls.get(location?.value?.scriptId ?? "");
  return url?.startsWith("file:") ? fileURLToPath(url) : url;
}
