import { expect } from "chai";
import { createTestHost, type TestHost } from "./testHost";

const ECHO =
  "exports.handler = async (event) => ({ event, address: process.env.AWS_LAMBDA_RUNTIME_API });";

describe("The Runtime API of a Lambda's environment", () => {
  let host: TestHost;
  beforeEach(() => {
    host = createTestHost();
  });
  afterEach(() => host.dispose());

  async function invoke(name: string, event: object): Promise<Record<string, unknown>> {
    const { payload } = await host.invoke(name, event);
    return JSON.parse(payload) as Record<string, unknown>;
  }

  it("refuses every request but the runtime's own, which costs no invocation", async () => {
    const name = await host.create(ECHO);
    const { address } = await invoke(name, {});
    const url = `http://${String(address)}/2018-06-01/runtime`;
    const forged = { method: "POST", body: '"forged"' };

    const strays = await Promise.all([
      fetch(`${url}/invocation/next`),
      fetch(`${url}/invocation/next`, { headers: { "x-local-runtime-secret": "0".repeat(64) } }),
      fetch(`${url}/invocation/1/response`, forged),
      fetch(`${url}/init/error`, forged),
      fetch(`http://${String(address)}/`),
    ]);

    expect(strays.map(({ status }) => status)).to.deep.equal([403, 403, 403, 403, 403]);
    expect(await invoke(name, { secret: 1 })).to.deep.equal({ event: { secret: 1 }, address });
  });

  it("gives no invocation by HTTP, not even to the runtime's own process", async () => {
    const name = await host.create(`
      exports.handler = async () => {
        const url = "http://" + process.env.AWS_LAMBDA_RUNTIME_API;
        const statusOf = (options) => new Promise((resolve, reject) => {
          require("node:http")
            .request(url + "/2018-06-01/runtime/invocation/next", options, (response) => {
              resolve(response.statusCode);
            })
            .on("error", reject)
            .end();
        });
        return [await statusOf({}), Object.keys(process.env).filter((key) => /SECRET$/.test(key))];
      };`);

    expect(await invoke(name, {})).to.deep.equal([403, []]);
  });

  it("takes a streamed result", async () => {
    const name = await host.create(`
      exports.handler = awslambda.streamifyResponse(async (event, stream) => {
        stream.write('{"parts":');
        stream.write("2}");
        stream.end();
      });`);

    expect(await invoke(name, {})).to.deep.equal({ parts: 2 });
  });

  it("takes invocations by its pipe, whichever client the function's variables choose", async () => {
    const name = await host.create(ECHO, {
      environment: { AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1: "true" },
    });

    expect((await invoke(name, { by: "pipe" })).event).to.deep.equal({ by: "pipe" });
  });

  for (const frame of ['{"type":"next"}', '{"type":"response","bytes":-1}', "null", "text"]) {
    it(`ends a function that writes ${frame} to the pipe, and serves the next invocation`, async () => {
      const name = await host.create(`
        exports.handler = async ({ writes }) => {
          if (writes) {
            require("node:fs").writeSync(4, writes + "\\n");
            await new Promise((resolve) => setTimeout(resolve, 60_000));
          }
          return "served";
        };`);

      const broken = await host.invoke(name, { writes: frame });
      const next = await host.invoke(name, {});

      expect(broken.functionError).to.equal("Unhandled");
      expect(next.payload).to.equal('"served"');
    });
  }
});
