import { expect } from "chai";
import { openCloud } from "../testCloud";
import { until } from "./testHost";

describe("The start of a cloud", () => {
  /** Starts a function that cannot be loaded, which its log tells, beside another. */
  async function start(warmStart?: boolean) {
    const logged: string[] = [];
    const test = await openCloud({
      warmStart,
      onLog: ({ functionName }) => logged.push(functionName),
    });
    await test.makeFunction("broken", "return (;");
    await test.makeFunction("fine", "return 1;");
    test.cloud.start(["broken", "fine"]);
    return { test, logged };
  }

  it("starts each function ahead of its first invocation", async () => {
    const { test, logged } = await start();

    await until(() => logged.includes("broken"));

    expect(test.invocations).to.deep.equal([]);
    await test.close();
  });

  it("starts a function with its first invocation, if told so", async () => {
    const { test, logged } = await start(false);

    const { payload, coldStart } = await test.cloud.lambda.invoke("fine", {});

    expect({ payload, coldStart, logged }).to.deep.equal({
      payload: "1",
      coldStart: true,
      logged: [],
    });
    await test.close();
  });
});
