import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { AwsError } from "../../awsError";
import { createTestHost, isAlive, until } from "./testHost";

describe("Lambda host: end", () => {
  it("kills busy and idle environments and their children, and rejects open invocations", async () => {
    const host = createTestHost({ maxConcurrency: 1 });
    const idle = await host.create("exports.handler = async () => process.pid;");
    const busy = await host.create(
      `exports.handler = async () => {
         const { pid } = require("node:child_process").spawn("sleep", ["60"], { stdio: "inherit" });
         process.stdout.write(process.pid + "\\n" + pid + "\\n");
         for (;;);
       };`,
      { timeoutSeconds: 600 },
    );
    const pids = [Number((await host.invoke(idle, {})).payload)];
    const open = [host.invoke(busy, {}), host.invoke(busy, {})].map((invocation) =>
      invocation.catch((error: unknown) => error),
    );
    await until(() => host.log.length === 2);
    pids.push(...host.log.map(({ line }) => Number(line)));
    expect(pids.map(isAlive)).to.deep.equal([true, true, true]);

    // It waits for no invocation: the open one would take ten minutes.
    await host.dispose();

    await until(() => !pids.some(isAlive));
    for (const error of await Promise.all(open)) {
      expect(error).to.be.instanceOf(AwsError).with.property("status", 503);
    }
    const late: unknown = await host.invoke(idle, {}).catch((error: unknown) => error);
    expect(late).to.be.instanceOf(AwsError).with.property("status", 503);
  });

  it("leaves no environment behind when it is killed itself", async () => {
    const parent = spawn(
      process.execPath,
      ["--require", "./tooling/register.js", "packages/local-aws/test/lambda/parent.ts"],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const pids: number[] = [];
    let workDir = "";
    for await (const line of createInterface({ input: parent.stdout })) {
      if (line.startsWith("workDir ")) {
        workDir = line.slice(8);
      } else {
        pids.push((JSON.parse(line) as { message: number }).message);
      }
      if (pids.length === 3) {
        break;
      }
    }
    expect(pids.map(isAlive)).to.deep.equal([true, true, true]);

    parent.kill("SIGKILL");

    await until(() => !pids.some(isAlive));
    rmSync(workDir, { recursive: true, force: true });
  });
});
