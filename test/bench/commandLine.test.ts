import { execFile } from "node:child_process";
import * as path from "node:path";
import { expect } from "chai";

const ROOT = path.resolve(__dirname, "..", "..");

function runBench(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const command = ["-r", "./tooling/register.js", "bench/main.ts", ...args];
    execFile(process.execPath, command, { cwd: ROOT }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });
}

describe("npm run bench", () => {
  it("refuses an unknown part, in one line that lists the parts", async () => {
    const { code, stdout, stderr } = await runBench("--only", "nonsense");

    expect(code).to.equal(2);
    expect(stdout).to.equal("");
    expect(stderr).to.match(/^error: .*'nonsense'.* packages.*\n$/);
  });

  it("refuses zero repetitions", async () => {
    const { code, stderr } = await runBench("--repetitions", "0");

    expect(code).to.equal(2);
    expect(stderr).to.include("whole number from 1 on");
  });
});
