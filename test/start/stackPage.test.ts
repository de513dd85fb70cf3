import { request } from "node:http";
import { expect } from "chai";
import { type Run, startRun } from "../../start/run";

interface Answer {
  status?: number;
  headers: Record<string, unknown>;
  text: string;
}

describe("the page /_stack of the local run", function () {
  let run: Run;

  before(async () => {
    run = await startRun({ port: 0, config: { requireApiKey: "true" } });
  });
  after(() => run.stop());

  /** Unlike fetch, node:http sends any Host header. */
  function ask(headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
    return new Promise((resolve, reject) => {
      request(`${run.endpoint}/_stack`, { method, headers }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => {
          resolve({ status: response.statusCode, headers: response.headers, text });
        });
      })
        .on("error", reject)
        .end();
    });
  }

  it("shows all outputs, secrets included, under each of this machine's own names", async () => {
    const { port } = new URL(run.endpoint);
    for (const name of ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"]) {
      const host = `${name}:${port}`;
      const { status, text } = await ask({ host });

      expect(status, host).to.equal(200);
      expect(JSON.parse(text)).to.deep.equal({ outputs: run.outputs });
    }
    expect(run.outputs.uploadApiKey).to.be.a("string");
  });

  it("shows nothing under any other name, which may be a web page's", async () => {
    const others = [
      "evil.example",
      "127.0.0.1.evil.example",
      "localhost.evil.example:4510",
      "evil.example:127.0.0.1",
      "localhost@evil.example",
      "127.0.0.1:4510:1",
      "x127.0.0.1",
      "127x0.0.1",
      "::1",
    ];
    for (const host of others) {
      const { status, text } = await ask({ host });

      expect(status, host).to.equal(403);
      expect(text).to.not.contain(String(run.outputs.uploadApiKey));
    }
  });

  it("is read-only, and not readable for other origins", async () => {
    for (const method of ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"]) {
      const { status, headers, text } = await ask({ origin: "https://evil.example" }, method);

      expect([status, headers.allow], method).to.deep.equal([405, "GET"]);
      expect(text).to.not.contain(String(run.outputs.uploadApiKey));
    }
    const { headers } = await ask({ origin: "https://evil.example" });
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))) //
      .to.deep.equal([]);
    expect(headers["cross-origin-resource-policy"]).to.equal("same-origin");
    expect(headers["x-content-type-options"]).to.equal("nosniff");
    expect(headers["cache-control"]).to.equal("no-store");
  });
});
