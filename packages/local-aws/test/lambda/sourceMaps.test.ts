import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect } from "chai";
import { transformSync } from "esbuild";
import { createTestHost, type TestHost } from "./testHost";

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
    expect(trace[1]).to.match(/^ +at (async )?handlers\/count\.ts:7:11$/);
  });

  it("names its own lines where the map is damaged", async () => {
    const host = open({ sourceMapOf: () => '{"version":' });
    const name = await host.create(code);

    const { payload } = await host.invoke(name, { pieces: [-1] });

    expect((JSON.parse(payload) as { trace: string[] }).trace[1]).to.match(/index\.js:1:\d+/);
  });

  it("is inspected in one environment at a time, without its timeout, also with new code", async () => {
    const port = await freePort();
    const host = open({ inspectPortOf: () => port });
    const name = await host.create(
      `exports.handler = () => new Promise((resolve) => {
        setTimeout(resolve, 100, process.pid);
      });`,
      { timeoutSeconds: 0.05 },
    );
    const pids = await Promise.all([1, 2].map(() => host.invoke(name, {})));
    expect(pids.map(({ errorMessage }) => errorMessage)).to.deep.equal([undefined, undefined]);
    expect(new Set(pids.map(({ payload }) => payload)).size).to.equal(1);

    await host.updateFunction(name, { files: { "index.js": code } });

    expect((await host.invoke(name, { pieces: [4] })).payload).to.equal("4");
    const targets = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json();
    expect(targets).to.have.lengthOf(1);
    expect(host.log.map(({ line }) => line).join()).to.not.contain("ebugger");
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
