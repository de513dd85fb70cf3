import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { createTestHost, isAlive, type TestHost, until } from "./testHost";

const SLOW = `
exports.handler = async () => {
  console.log("started");
  while (!require("node:fs").existsSync(FILE)) await new Promise((resolve) => setTimeout(resolve, 5));
  return { code: "old", pid: process.pid };
};`;

describe("A function whose code is replaced", () => {
  let host: TestHost;

  beforeEach(() => {
    host = createTestHost({ maxConcurrency: 1 });
  });
  afterEach(() => host.dispose());

  function code(text: string) {
    return { files: { "index.js": text } };
  }

  it("ends invocations in progress with the old code, and takes waiting and later ones with the new", async () => {
    const gate = join(host.workDir, "gate");
    const name = await host.create(SLOW.replace("FILE", JSON.stringify(gate)));
    const inProgress = host.invoke(name, {});
    await until(() => host.log.some(({ line }) => line.includes("started")));
    const waiting = host.invoke(name, {});

    await host.updateFunction(name, code('exports.handler = async () => "new";'));

    expect((await waiting).payload).to.equal('"new"');
    expect((await host.invoke(name, {})).payload).to.equal('"new"');
    writeFileSync(gate, "open");
    const { code: answered, pid } = JSON.parse((await inProgress).payload) as {
      code: string;
      pid: number;
    };
    expect(answered).to.equal("old");
    await until(() => !isAlive(pid));
  });

  it("leaves no process and no file of the old code", async () => {
    const name = await host.create(
      "exports.handler = async () => ({ pid: process.pid, folder: __dirname });",
    );
    const old = JSON.parse((await host.invoke(name, {})).payload) as {
      pid: number;
      folder: string;
    };

    await host.updateFunction(name, code("exports.handler = async () => 2;"));

    await until(() => !isAlive(old.pid) && !existsSync(old.folder));
    expect((await host.invoke(name, {})).payload).to.equal("2");
  });

  it("recovers from code that cannot be loaded", async () => {
    const name = await host.create("exports.handler = async () => 1;");

    await host.updateFunction(name, code("throw new Error('broken');"));
    expect((await host.invoke(name, {})).errorMessage).to.equal("broken");
    await host.updateFunction(name, code("exports.handler = async () => 3;"));

    expect((await host.invoke(name, {})).payload).to.equal("3");
  });
});
