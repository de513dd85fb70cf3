import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { createFaults } from "../../faults/faults";
import type { HttpRequest } from "../../http";
import type { Fault } from "../../lambda/host";
import { createTestHost, type TestHost } from "../lambda/testHost";

// Calls in sequence, as an SDK makes them; the answers' order is the handler's result.
const HANDLER = `
  const http = require("node:http");
  const agent = new http.Agent({ keepAlive: true });
  const call = (name) =>
    new Promise((resolve, reject) => {
      const headers =
        name === "Publish"
          ? { "content-type": "application/x-www-form-urlencoded" }
          : { "x-amz-target": "DynamoDB_20120810." + name };
      const body = name === "Publish" ? "Version=1&Action=Publish&Message=m" : "{}";
      http
        .request(process.env.AWS_ENDPOINT_URL, { method: "POST", agent, headers }, (response) => {
          response.resume().on("end", () => resolve(name));
        })
        .on("error", reject)
        .end(body);
    });
  exports.handler = async (names) => {
    const done = [];
    for (const name of names) done.push(await call(name));
    return done;
  };
`;

describe("faults of invocations", () => {
  const served: string[] = [];
  let server: Server;
  let host: TestHost;
  let fault: Fault | undefined;
  let name: string;

  before(async () => {
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        const target = String(request.headers["x-amz-target"] ?? "");
        served.push(target.split(".")[1] ?? new URLSearchParams(body).get("Action") ?? "");
        response.end("{}");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    host = createTestHost({
      endpointUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      intercept: () => fault,
    });
    name = await host.create(HANDLER, { timeoutSeconds: 60 });
  });
  after(async () => {
    await host.dispose();
    server.close();
    server.closeAllConnections();
  });
  beforeEach(() => {
    served.length = 0;
    fault = undefined;
  });

  const CALLS = JSON.stringify(["GetItem", "Publish", "UpdateItem"]);

  for (const [call, when, effects] of [
    [1, "before", []],
    [1, "after", ["GetItem"]],
    [2, "before", ["GetItem"]],
    [2, "after", ["GetItem", "Publish"]],
    [3, "before", ["GetItem", "Publish"]],
    [3, "after", ["GetItem", "Publish", "UpdateItem"]],
  ] as const) {
    it(`kills the process ${when} call ${call}, and no further call takes effect`, async () => {
      const crashes: HttpRequest[] = [];
      fault = { kind: "crash", call, when, onCrash: (request) => crashes.push(request) };

      const result = await host.invoke(name, CALLS);

      expect(result).to.include({ functionError: "Unhandled", errorType: "Runtime.ExitError" });
      expect(result.errorMessage).to.include("signal: killed");
      expect(served).to.deep.equal(effects);
      expect(crashes).to.have.lengthOf(1);
      const [request] = crashes;
      expect(request?.method).to.equal("POST");
      if (call === 2) {
        expect(request?.body.toString()).to.equal("Action=Publish");
      } else {
        const operation = call === 1 ? "GetItem" : "UpdateItem";
        expect(request?.headers["x-amz-target"]).to.equal(`DynamoDB_20120810.${operation}`);
      }
      fault = undefined;
      expect(await host.invoke(name, CALLS)).to.include({ payload: CALLS, coldStart: true });
    });
  }

  it("affects neither an invocation of fewer calls, nor the one after it", async () => {
    fault = { kind: "crash", call: 4, when: "before", onCrash: () => expect.fail("It crashed") };
    expect((await host.invoke(name, CALLS)).payload).to.equal(CALLS);
    fault = undefined;

    const next = await host.invoke(name, CALLS);

    expect(next).to.include({ payload: CALLS, coldStart: false });
  });

  it("counts each invocation's calls from its own start", async () => {
    await host.invoke(name, CALLS);
    served.length = 0;
    fault = { kind: "crash", call: 2, when: "before" };

    await host.invoke(name, CALLS);

    expect(served).to.deep.equal(["GetItem"]);
  });

  it("runs an invocation into its timeout at once", async () => {
    fault = { kind: "timeout" };
    const startedAt = performance.now();

    const result = await host.invoke(name, CALLS);

    // Of the minute that the message speaks of.
    expect(performance.now() - startedAt).to.be.lessThan(50_000);
    expect(result).to.include({ functionError: "Unhandled", errorType: "Sandbox.Timedout" });
    expect(result.errorMessage).to.include("Task timed out after 60.00 seconds");
    expect(host.reports.at(-1)?.outcome).to.equal("timeout");
  });

  it("are listed in the report: function, request, operation, before or after", async () => {
    const faults = createFaults({ seed: 1, rules: [{ kind: "crash", share: 1, maxCall: 1 }] });
    for (let index = 0; index < 4; index += 1) {
      fault = await faults.interceptInvocation({
        functionName: "notify-0123abc",
        requestId: `request-${index}`,
        payload: "",
        async: false,
      });
      await host.invoke(name, JSON.stringify(["Publish"]));
    }

    const { injected, crashes } = faults.report();
    expect(injected).to.deep.equal({ crash: 4 });
    expect(crashes.map(({ requestId }) => requestId)).to.deep.equal(
      [0, 1, 2, 3].map((index) => `request-${index}`),
    );
    for (const { functionName, operation } of crashes) {
      expect({ functionName, operation }).to.deep.equal({
        functionName: "notify",
        operation: "sns:Publish",
      });
    }
    // As many as took effect were killed after it.
    const after = crashes.filter(({ when }) => when === "after");
    expect(after.length).to.equal(served.length).and.to.be.within(1, 3);
  });
});
