import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { Failure } from "../../../cli/errors";
import { failureOf } from "../../../cli/http/answer";
import { type HttpAnswer, send } from "../../../cli/http/send";

describe("the command line's HTTP client", () => {
  let server: Server | undefined;

  async function serve(listener: RequestListener): Promise<string> {
    const made = createServer(listener);
    server = made;
    await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(made.address() as AddressInfo).port}/`;
  }

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });

  it("accepts an answer before the body's end, and stops sending", async () => {
    const url = await serve((request, response) => {
      response.writeHead(403, { "content-length": "3" });
      // Flushed and complete, while the server goes on reading.
      response.write("No.");
      request.resume();
    });
    let sent = 0;
    let closed = false;
    async function* chunks() {
      try {
        for (; sent < 100_000; sent += 1) {
          yield await Promise.resolve(Buffer.alloc(10_000));
        }
      } finally {
        closed = true;
      }
    }

    const answer = await send({
      method: "POST",
      url,
      body: { length: 10 ** 9, chunks: chunks() },
    });

    expect(answer).to.include({ status: 403, text: "No." });
    expect(sent).to.be.lessThan(10_000);
    expect(closed).to.equal(true);
  });

  it("sends streamed bodies one after another by one connection", async () => {
    const url = await serve((request, response) => {
      request.resume().on("end", () => response.end());
    });
    let connections = 0;
    server?.on("connection", () => (connections += 1));
    async function* chunks() {
      yield Buffer.alloc(10 ** 6);
      // The answer is there before the body's end is noticed here.
      await delay(20);
    }

    for (let time = 0; time < 3; time += 1) {
      const body = { length: 10 ** 6, chunks: chunks() };
      expect(await send({ method: "PUT", url, body })).to.include({ status: 200 });
    }

    expect(connections).to.equal(1);
  });

  it("fails when nothing listens, or when the answer breaks off", async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("half", () => response.destroy());
    });

    const half = await send({ method: "GET", url }).catch((error: unknown) => error);
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
    const refused = await send({ method: "GET", url }).catch((error: unknown) => error);

    expect(half)
      .to.be.instanceOf(Failure)
      .and.include({ code: "network_error", isTransient: true });
    expect(refused).to.be.instanceOf(Failure).and.include({ code: "network_error" });
    expect((refused as Failure).message).to.contain(new URL(url).host);
  });

  it("parses Retry-After in seconds and as a date, and answers that are not JSON", () => {
    const failure = (answer: Partial<HttpAnswer>) =>
      failureOf({ status: 503, headers: {}, text: "<html>", ...answer });
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();

    expect(failure({ headers: { "retry-after": "7" } }).retryAfterMs).to.equal(7000);
    expect(failure({ headers: { "retry-after": inAMinute } }).retryAfterMs) //
      .to.be.within(50_000, 60_000);
    expect(failure({ headers: { "retry-after": "soon" } }).retryAfterMs).to.equal(undefined);
    expect(failure({})).to.include({ code: "http_503", isTransient: true });
    expect(failure({ status: 400, text: '{"error":null}' })).to.include({ code: "http_400" });
  });
});
