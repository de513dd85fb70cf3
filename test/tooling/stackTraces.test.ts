import { createRequire } from "node:module";
import { expect } from "chai";

interface Debuggable {
  debuggablePromise: (promise: Promise<unknown>, context: string) => Promise<unknown>;
}

const requireModule = createRequire(__filename);

const { debuggablePromise } = requireModule("@pulumi/pulumi/runtime/debuggable") as Debuggable;

const LEAKS = "PULUMI_DEBUG_PROMISE_LEAKS";

/** The trace that Pulumi takes of a promise. */
function traceOfPromise(): string {
  const promise = Promise.resolve();
  void debuggablePromise(promise, "test");
  return (promise as unknown as { _debugStackTrace: string })._debugStackTrace;
}

describe("Stack traces", () => {
  it("name the lines of TypeScript", () => {
    const [, first = ""] = new Error("here").stack?.split("\n") ?? [];
    expect(first).to.match(/stackTraces\.test\.ts:23:\d+\)$/);
  });

  it("of Pulumi's promises are without lines, which take long, unless leaks are looked for", () => {
    const former = process.env[LEAKS];
    try {
      Reflect.deleteProperty(process.env, LEAKS);
      expect(traceOfPromise()).to.equal("Error");
      process.env[LEAKS] = "1";
      expect(traceOfPromise()).to.contain("\n    at traceOfPromise ");
    } finally {
      Reflect.deleteProperty(process.env, LEAKS);
      if (former !== undefined) {
        process.env[LEAKS] = former;
      }
    }
  });
});
