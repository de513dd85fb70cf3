import type { Context } from "aws-lambda";
import { expect } from "chai";
import { type Environment, withEnvironment } from "../../runtime/environment";

const CONTEXT = {} as Context;

describe("A callback factory with its environment", () => {
  it("is called at the start, and once for all events", async () => {
    const calls: string[] = [];
    const handler = withEnvironment(async (environment: Environment<"PATH">) => {
      calls.push(environment("PATH"));
      await Promise.resolve();
      return (event: string) => Promise.resolve(`handled ${event}`);
    })();

    expect(calls).to.have.lengthOf(1);
    expect(await Promise.all([handler("a", CONTEXT), handler("b", CONTEXT)])).to.deep.equal([
      "handled a",
      "handled b",
    ]);
    expect(calls).to.have.lengthOf(1);
  });

  it("answers events with its error, until it succeeds", async () => {
    let failures = 2;
    const handler = withEnvironment(async () => {
      await Promise.resolve();
      if (failures-- > 0) {
        throw new Error("throttled");
      }
      return (event: string) => Promise.resolve(`handled ${event}`);
    })();
    // Nobody waits for the first call: its error must not end the process.
    await new Promise((resolve) => setImmediate(resolve));

    const outcomes = [];
    for (const event of ["a", "b", "c"]) {
      outcomes.push(
        await handler(event, CONTEXT).catch((error: unknown) => (error as Error).message),
      );
    }
    expect(outcomes).to.deep.equal(["throttled", "throttled", "handled c"]);
  });

  it("fails the start where it fails at once", () => {
    const load = withEnvironment((environment: Environment<"NO_SUCH_VARIABLE">) => {
      const value = environment("NO_SUCH_VARIABLE");
      return () => Promise.resolve(value);
    });

    expect(load).to.throw("The environment variable NO_SUCH_VARIABLE is not set.");
  });
});
