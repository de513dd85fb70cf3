import { setImmediate, setTimeout } from "node:timers/promises";
import { expect } from "chai";
import { createLineWriter } from "../../start/lineWriter";

describe("the writer of a run's lines", () => {
  function recorder() {
    const writes: string[] = [];
    return { writes, writer: createLineWriter((text) => writes.push(text)) };
  }

  it("writes the first line at once, and those that follow it closely together", async () => {
    const { writes, writer } = recorder();

    writer.line("a");
    await setImmediate();
    writer.line("b");
    writer.line("c");
    await setTimeout(50);

    expect(writes).to.deep.equal(["a\n", "b\nc\n"]);
  });

  it("writes what waits when it is flushed, once and in order", async () => {
    const { writes, writer } = recorder();

    writer.line("a");
    writer.line("b");
    writer.flush();
    writer.flush();
    await setTimeout(20);

    expect(writes).to.deep.equal(["a\nb\n"]);
  });

  it("keeps no more than a pipe's worth of text waiting", () => {
    const { writes, writer } = recorder();

    writer.line("x".repeat(70_000));

    expect(writes.join("")).to.equal(`${"x".repeat(70_000)}\n`);
  });
});
