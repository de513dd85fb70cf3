import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect } from "chai";
import { transformSync } from "esbuild";
import { attach } from "./debuggerClient";
import { createTestHost, type TestHost, until } from "./testHost";

const SOURCE = `interface Event {
  pieces: number[];
}
export async function handler(event: Event): Promise<number> {
  const total = event.pieces.reduce((sum, piece) => sum + piece, 0);
  if (total < 0) {
    throw new RangeError("Fewer than none");
  }
  return total;
}
`;

const { code, map } = transformSync(SOURCE, {
  loader: "ts",
  format: "cjs",
  minify: true,
  sourcemap: "external",
  sourcefile: "handlers/count.ts",
});

describe("A function with a source map", () => {
  const hosts: TestHost[] = [];

  function open(options: Parameters<typeof createTestHost>[0] = {}): TestHost {
    const host = createTestHost({
      sourceMapOf: (text) => (text === code ? map : undefined),
      ...options,
    });
    hosts.push(host);
    return host;
  }

  afterEach(async () => {
    for (const host of hosts.splice(0)) {
      await host.dispose();
    }
  });

  it("names the lines of its sources in stacks, and nothing of the map in its package", async () => {
    const host = open();
    const name = await host.create(code);

    const { payload } = await host.invoke(name, { pieces: [-1] });

    const { trace } = JSON.parse(payload) as { trace: string[] };
    expect(trace[0]).to.equal("RangeError: Fewer than none");
    expect(trace[1]).to.match(/^ +at .*handlers\/count\.ts:7:11\)?$/);
  });

  it("names its own lines where the map is damaged", async () => {
    const host = open({ sourceMapOf: () => '{"version":' });
    const name = await host.create(code);

    const { payload } = await host.invoke(name, { pieces: [-1] });

    expect((JSON.parse(payload) as { trace: string[] }).trace[1]).to.match(/index\.js:1:\d+/);
  });

  it("stops at a breakpoint of its sources when it is inspected, without its timeout", async () => {
    const port = await freePort();
    const host = open({ inspectPortOf: () => port });
    const name = await host.create(code, { timeoutSeconds: 0.05 });
    await host.warm(name);
    const client = await attach(port);
    await client.send("Debugger.enable");
    const script = await client.event<{ scriptId: string; url: string; sourceMapURL: string }>(
      "Debugger.scriptParsed",
      ({ sourceMapURL }) => sourceMapURL !== "",
    );
    // The map is one line: the column of `return total`.
    const columnNumber = code.lastIndexOf("return");
    const { scriptId } = script;
    await client.send("Debugger.setBreakpoint", {
      location: { scriptId, lineNumber: 0, columnNumber },
    });

    const invoked = host.invoke(name, { pieces: [2, 3] });
    const paused = await client.event<{ callFrames: { callFrameId: string }[] }>("Debugger.paused");
    const { result } = await client.send("Debugger.evaluateOnCallFrame", {
      callFrameId: paused.callFrames[0]?.callFrameId,
      expression: /(\w+)=\w+\.pieces/.exec(code)?.[1],
    });
    // Longer than the timeout.
    const pausedAt = performance.now();
    await until(() => performance.now() > pausedAt + 100);
    await client.send("Debugger.resume");

    expect(result).to.have.property("value", 5);
    expect((await invoked).payload).to.equal("5");
    client.close();
  });

  it("has one environment at a time when it is inspected, also while its code is replaced", async () => {
    const port = await freePort();
    const host = open({ inspectPortOf: () => port });
    const name = await host.create("exports.handler = async () => process.pid;");
    const pids = await Promise.all([1, 2, 3].map(() => host.invoke(name, {})));
    expect(new Set(pids.map(({ payload }) => payload)).size).to.equal(1);

    await host.updateFunction(name, { files: { "index.js": code } });

    expect((await host.invoke(name, { pieces: [4] })).payload).to.equal("4");
    const client = await attach(port);
    client.close();
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
