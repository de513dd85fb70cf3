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

  it("refuses an unknown or empty part in a list", async () => {
    for (const list of ["cost,nonsense", "cost,", ""]) {
      const { code, stdout, stderr } = await runBench("--only", list);

      expect(code, list).to.equal(2);
      expect(stdout).to.equal("");
      expect(stderr).to.match(/^error: .* packages.*\n$/);
    }
  });

  it("measures the parts of a list, each under its key", async () => {
    const { stdout } = await runBench("--only", "scale,cost", "--json");

    expect(JSON.parse(stdout)).to.have.keys("cost", "scale");
  });

  it("refuses zero repetitions", async () => {
    const { code, stderr } = await runBench("--repetitions", "0");

    expect(code).to.equal(2);
    expect(stderr).to.include("whole number from 1 on");
  });
});
