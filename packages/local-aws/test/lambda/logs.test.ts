import { expect } from "chai";
import { createTestHost, type TestHost } from "./testHost";

describe("Lambda host: logs", () => {
  let host: TestHost;
  beforeEach(() => {
    host = createTestHost();
  });
  afterEach(() => host.dispose());

  it("passes JSON lines on, with their request id, before the invocation ends", async () => {
    const name = await host.create(
      `console.log("starting");
       exports.handler = async (n) => { console.warn({ step: n, text: "a\\nb" }); };`,
    );

    const first = await host.invoke(name, "1");
    const second = await host.invoke(name, "2");

    const [start, ...lines] = host.log;
    expect(start).to.not.have.property("requestId");
    expect(start?.line).to.include('"message":"starting"');
    expect(lines.map(({ requestId }) => requestId)).to.deep.equal([
      first.requestId,
      second.requestId,
    ]);
    expect(lines.map(({ line }) => JSON.parse(line) as unknown)).to.have.nested.property(
      "[1].message.step",
      2,
    );
  });

  it("passes text lines on, and raw output of both streams up to its last byte", async () => {
    const name = await host.create(
      `exports.handler = async () => {
         console.log("hello");
         process.stderr.write("one\\ntwo ä");
         process.exit(1);
       };`,
      { logFormat: "Text" },
    );

    const { requestId } = await host.invoke(name, {});

    const lines = host.log.map(({ line }) => line);
    expect(lines[0]).to.match(new RegExp(`Z\t${requestId}\tINFO\thello$`));
    expect(lines.slice(1, 3)).to.deep.equal(["one", "two ä"]);
    expect(new Set(host.log.map((entry) => entry.requestId))).to.deep.equal(new Set([requestId]));
  });
});
