import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { expect } from "chai";

const requireModule = createRequire(__filename);

const { runTogether } = requireModule("../../tooling/runTogether.js") as {
  runTogether: (
    commands: string[][],
    options: { write: (chunk: Buffer) => void },
  ) => Promise<number[]>;
};

const node = (script: string) => [process.execPath, "-e", script];

describe("Commands that run together", () => {
  let printed = "";

  beforeEach(() => {
    printed = "";
  });

  function run(...commands: string[][]): Promise<number[]> {
    return runTogether(commands, {
      write: (chunk) => {
        printed += chunk.toString();
      },
    });
  }

  it("print one after the other, each all it has to say", async () => {
    // The first ends when the second does: they run at the same time.
    const pipe = path.join(mkdtempSync(path.join(tmpdir(), "run-together-")), "pipe");
    const connect = `require("net").connect(${JSON.stringify(pipe)})`;
    const slow = node(
      'console.log("at once"); require("net").createServer((socket) => socket.resume().on("end", () => ' +
        `{ console.log("first"); process.exit(); })).listen(${JSON.stringify(pipe)})`,
    );
    const quick = node(
      `const ask = () => ${connect}.on("error", () => setTimeout(ask, 10)).on("connect", function () ` +
        '{ console.error("second"); console.log("last"); this.end(); }); ask();',
    );

    const exitCodes = await run(slow, quick);

    expect(exitCodes).to.deep.equal([0, 0]);
    rmSync(path.dirname(pipe), { recursive: true });
    expect(printed).to.match(/^at once\nfirst\n(second\nlast|last\nsecond)\n$/);
  });

  it("have their exit codes, whichever fails", async () => {
    expect(await run(node("process.exit(3)"), node(""))).to.deep.equal([3, 0]);
    expect(await run(node(""), node("process.exit(2)"))).to.deep.equal([0, 2]);
    expect(await run(node('process.kill(process.pid, "SIGKILL")'))).to.deep.equal([1]);
  });

  it("fail when they cannot be started, with the reason", async () => {
    expect(await run(["/no/such/program"], node('console.log("other")'))).to.deep.equal([1, 0]);
    expect(printed).to.match(/no\/such\/program ENOENT\nother\n$/);
  });
});
