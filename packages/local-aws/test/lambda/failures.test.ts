import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { AwsError } from "../../awsError";
import { createTestHost, type TestHost, until } from "./testHost";

describe("Lambda host: failures", () => {
  let host: TestHost;
  beforeEach(() => {
    host = createTestHost();
  });
  afterEach(() => host.dispose());

  /** A healthy invocation after a failed one, which needs a new environment. */
  async function expectReplaced(name: string): Promise<void> {
    expect(await host.invoke(name, "0")).to.include({ payload: '"fine"', coldStart: true });
  }

  it("passes on the handler's error", async () => {
    const name = await host.create(
      "exports.handler = async () => { throw new RangeError('too far'); };",
    );

    const result = await host.invoke(name, {});

    expect(result).to.include({
      functionError: "Unhandled",
      errorType: "RangeError",
      errorMessage: "too far",
    });
    expect(JSON.parse(result.payload)).to.include.keys("errorType", "errorMessage", "trace");
    expect(host.reports[0]?.outcome).to.equal("error");
  });

  it("shows an error in the function's start at each invocation, warmed or not", async () => {
    const name = await host.create("throw new Error('no TABLE_NAME');");

    await host.warm(name);
    const results = [await host.invoke(name, {}), await host.invoke(name, {})];

    for (const result of results) {
      expect(result).to.include({ functionError: "Unhandled", errorMessage: "no TABLE_NAME" });
    }
    expect(host.log.map(({ line }) => line).join("\n")).to.include("no TABLE_NAME");
  });

  it("names a handler that does not exist", async () => {
    const name = await host.create("exports.other = 1;");

    const { errorType, errorMessage } = await host.invoke(name, {});

    expect(errorType).to.equal("Runtime.HandlerNotFound");
    expect(errorMessage).to.equal("index.handler is undefined or not exported");
  });

  it("ends an invocation at its timeout, even in an endless loop", async () => {
    const name = await host.create(
      `exports.handler = async (n) => {
         if (n === 1) await new Promise((resolve) => setTimeout(resolve, 60_000));
         while (n === 2);
         return "fine";
       };`,
      { timeoutSeconds: 0.75 },
    );

    for (const event of ["1", "2"]) {
      const result = await host.invoke(name, event);

      expect(result).to.include({ functionError: "Unhandled", errorType: "Sandbox.Timedout" });
      expect(result.errorMessage).to.equal(
        `RequestId: ${result.requestId} Error: Task timed out after 0.75 seconds`,
      );
      expect(result.durationMs).to.be.at.least(740);
      expect(host.log.at(-1)?.line).to.match(
        new RegExp(`^\\d{4}-.*Z ${result.requestId} Task timed out after 0.75 seconds$`),
      );
      await expectReplaced(name);
    }
    expect(host.reports.map(({ outcome }) => outcome)).to.deep.equal([
      "timeout",
      "ok",
      "timeout",
      "ok",
    ]);
  });

  it("fails an invocation whose process exits, and starts another", async () => {
    const name = await host.create(
      `exports.handler = async (n) => {
         if (n === 1) process.exit(1);
         if (n === 2) process.kill(process.pid, "SIGKILL");
         if (n === 3) await new Promise(() => {});
         return "fine";
       };`,
    );
    const reasons = [
      "Runtime exited with error: exit status 1",
      "Runtime exited with error: signal: killed",
      "Runtime exited without providing a reason",
    ];

    for (const [index, reason] of reasons.entries()) {
      const result = await host.invoke(name, String(index + 1));

      expect(result).to.include({ functionError: "Unhandled", errorType: "Runtime.ExitError" });
      expect(result.errorMessage).to.equal(`RequestId: ${result.requestId} Error: ${reason}`);
      expect(host.reports.at(-1)?.outcome).to.equal("crash");
      await expectReplaced(name);
    }
  });

  it("fails an invocation that needs more memory than the function has", async () => {
    const name = await host.create(
      `exports.handler = async (kind) => {
         const hold = [];
         while (kind === "buffers") {
           hold.push(Buffer.alloc(1e6, 1));
           await new Promise(setImmediate);
         }
         while (kind === "heap") hold.push({ list: [hold.length, String(hold.length)] });
         return "fine";
       };`,
    );

    for (const kind of ["buffers", "heap"]) {
      const result = await host.invoke(name, JSON.stringify(kind));

      expect(result.errorType).to.equal("Runtime.OutOfMemory");
      expect(result.errorMessage).to.match(/Runtime exited with error: signal: (killed|aborted)$/);
      await expectReplaced(name);
    }
  });

  it("reports an idle environment that dies, and continues without it", async () => {
    const endFile = join(host.workDir, "end");
    const name = await host.create(
      `const { existsSync } = require("node:fs");
       exports.handler = async (n) => {
         if (n) setInterval(() => existsSync(process.env.END_FILE) && process.exit(7), 5);
         return "fine";
       };`,
      { environment: { END_FILE: endFile } },
    );

    await host.invoke(name, "1");
    writeFileSync(endFile, "");
    await until(() => host.log.length > 0);
    rmSync(endFile);

    expect(host.log[0]).to.deep.equal({
      functionName: name,
      line: "Error: Runtime exited with error: exit status 7 Runtime.ExitError",
    });
    await expectReplaced(name);
  });

  it("applies the faults that a test injects", async () => {
    await host.dispose();
    const faults = ["kill", "error", "refuse", "none"];
    host = createTestHost({
      intercept: () => {
        const fault = faults.shift();
        if (fault === "refuse") {
          throw new AwsError("TooManyRequestsException", 429, "Slow down");
        }
        if (fault === "kill") {
          return { kind: "kill", afterMs: 5 };
        }
        if (fault === "error") {
          return { kind: "error", errorType: "Test", errorMessage: "no" };
        }
        return undefined;
      },
    });
    const name = await host.create(
      `exports.handler = async (isSlow) =>
         isSlow ? new Promise((resolve) => setTimeout(resolve, 4_000, "slow")) : "fine";`,
    );

    const killed = await host.invoke(name, "true");
    const failed = await host.invoke(name, "false");
    const refused: unknown = await host.invoke(name, "false").catch((error: unknown) => error);
    const fine = await host.invoke(name, "false");

    expect(killed.errorMessage).to.include("signal: killed");
    expect(failed).to.include({ functionError: "Unhandled", errorType: "Test" });
    expect(refused).to.be.instanceOf(AwsError).with.property("status", 429);
    expect(fine.payload).to.equal('"fine"');
  });
});
