import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { environmentLimit } from "../../lambda/host";
import { createTestHost, type TestHost } from "./testHost";

/** Answers with its process only when as many processes as the event says are at work. */
const MEETING = `
  const { appendFileSync, readFileSync } = require("node:fs");
  let here = false;
  exports.handler = async (n) => {
    if (!here) appendFileSync(process.env.MEETING_FILE, ".");
    here = true;
    while (readFileSync(process.env.MEETING_FILE).length < n) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return process.pid;
  };`;

describe("Lambda host: concurrency", () => {
  let host: TestHost;
  beforeEach(() => {
    host = createTestHost({ maxConcurrency: 2 });
  });
  afterEach(() => host.dispose());

  it("starts environments up to the limit for invocations at the same time", async () => {
    const environment = { MEETING_FILE: join(host.workDir, "meeting") };
    const name = await host.create(MEETING, { environment });

    const results = await Promise.all([1, 2, 3, 4, 5, 6].map(() => host.invoke(name, "2")));

    expect(new Set(results.map(({ payload }) => payload)).size).to.equal(2);
    expect(results.filter(({ coldStart }) => coldStart)).to.have.length(2);
  });

  it("has one environment of a function more than processors, four at most", () => {
    expect([1, 2, 3, 4, 64].map(environmentLimit)).to.deep.equal([2, 3, 4, 4, 4]);
  });

  it("serves waiting invocations in their order", async () => {
    await host.dispose();
    host = createTestHost({ maxConcurrency: 1 });
    const name = await host.create("exports.handler = async (n) => n;");
    const ended: string[] = [];

    await Promise.all(
      [0, 1, 2, 3, 4, 5].map(async (n) => {
        ended.push((await host.invoke(name, String(n))).payload);
      }),
    );

    expect(ended).to.deep.equal(["0", "1", "2", "3", "4", "5"]);
  });

  it("uses one environment for invocations that follow each other", async () => {
    const name = await host.create("exports.handler = async () => process.pid;");

    const pids = new Set<string>();
    for (let n = 0; n < 50; n++) {
      pids.add((await host.invoke(name, {})).payload);
    }

    expect(pids.size).to.equal(1);
  });

  it("keeps functions apart", async () => {
    const environment = { MEETING_FILE: join(host.workDir, "meeting") };
    const slow = await host.create(MEETING, { environment });
    const quick = await host.create("exports.handler = async () => 1;");
    const order: string[] = [];

    await host.warm(quick);
    // Two are at work and one waits, until a third process is there.
    const waiting = [1, 2, 3].map(() => host.invoke(slow, "3").then(() => order.push("slow")));
    await host.invoke(quick, {}).then(() => order.push("quick"));
    appendFileSync(environment.MEETING_FILE, "...");
    await Promise.all(waiting);

    expect(order).to.deep.equal(["quick", "slow", "slow", "slow"]);
  });

  it("keeps other invocations queued when an environment fails to start", async () => {
    const name = await host.create("throw new Error('broken');");

    const results = await Promise.all([1, 2, 3, 4, 5].map((n) => host.invoke(name, String(n))));

    expect(results.map(({ errorMessage }) => errorMessage)).to.deep.equal(
      Array<string>(5).fill("broken"),
    );
  });
});
