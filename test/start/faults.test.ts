import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { type FaultRule, StartError } from "local-aws/faults";
import { textOutput } from "../../start/output";
import { type Run, type RunEvent, startRun } from "../../start/run";
import { clientsOf } from "../../testing/clients";
import { type Runner, startRunner } from "../../testing/startProcess";

describe("a run with faults", function () {
  let run: Run | undefined;
  const runners: Runner[] = [];
  const folders: string[] = [];

  afterEach(async () => {
    await run?.stop();
    run = undefined;
    for (const runner of runners.splice(0)) {
      await runner.dispose();
    }
    for (const folder of folders.splice(0)) {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  async function put(program: Run, key: string): Promise<void> {
    const { s3, destroy } = clientsOf(program);
    const Bucket = String(program.outputs.bucketName);
    await s3.send(new PutObjectCommand({ Bucket, Key: key, Body: "text" }));
    destroy();
  }

  it("delivers events twice and replays batches, with the same result for the file", async () => {
    const invocations: string[] = [];
    const events: RunEvent[] = [];
    run = await startRun({
      port: 0,
      config: { digestSeconds: "0" },
      faults: {
        seed: 1,
        rules: [
          { kind: "duplicateObjectEvents", share: 1, milliseconds: 50 },
          { kind: "replayStream", share: 1 },
        ],
      },
      onInvocation: ({ functionName }) => invocations.push(functionName.split("-")[0] ?? ""),
      onEvent: (event) => events.push(event),
    });

    await put(run, "twice.txt");
    await run.idle();

    expect(invocations.sort().join(" ")).to.equal("notify notify process process record record");
    expect(run.faults?.report().injected).to.deep.equal({
      duplicateObjectEvents: 1,
      replayStream: 2,
    });
    const statuses = events.flatMap((event) =>
      event.type === "status" ? [event.event.event_status] : [],
    );
    expect(statuses).to.deep.equal(["created", "processed", "notified"]);
    expect(events.filter(({ type }) => type === "mail")).to.have.lengthOf(1);
  });

  it("injects faults into the program's processes, and recovers from them", async () => {
    const events: RunEvent[] = [];
    run = await startRun({
      port: 0,
      config: { digestSeconds: "0" },
      delayScale: 0.001,
      faults: {
        seed: 3,
        rules: [
          { kind: "reset", share: 0.3 },
          { kind: "crash", function: "process", share: 0.5, maxCall: 2 },
        ],
      },
      onEvent: (event) => events.push(event),
    });
    const { faults } = run;

    const keys = Array.from({ length: 12 }, (_, index) => `file-${index}.txt`);
    for (const key of keys) {
      await put(run, key);
    }
    await run.idle();

    const { injected, crashes } = faults?.report() ?? { injected: {}, crashes: [] };
    expect(injected.reset).to.be.greaterThan(0);
    expect(crashes.length).to.equal(injected.crash).and.to.be.greaterThan(0);
    for (const crash of crashes) {
      expect(crash.functionName).to.equal("process");
      expect(crash.operation).to.match(/^(s3|dynamodb):[A-Z]\w+$/);
    }
    const notified = events.flatMap((event) =>
      event.type === "status" && event.event.event_status === "notified"
        ? [event.event.event_info.Key]
        : [],
    );
    expect(notified.sort()).to.deep.equal(keys.sort());
  });

  it("refuses a rule for a Lambda that the program does not have", async () => {
    const rules: FaultRule[] = [{ kind: "timeout", share: 1, function: "proces" }];

    const error: unknown = await startRun({ port: 0, faults: { seed: 1, rules } }).catch(
      (thrown: unknown) => thrown,
    );

    expect(error)
      .to.be.instanceOf(StartError)
      .with.property("message")
      .that.matches(/^The faults' rules\[0\]\.function is "proces"; allowed: one of .*process/);
  });

  function start(plan: string, ...args: string[]): Runner {
    const folder = mkdtempSync(path.join(tmpdir(), "fault-plan-"));
    folders.push(folder);
    const file = path.join(folder, "faults.json");
    writeFileSync(file, plan);
    const runner = startRunner(["--port", "0", ...args, "--faults", file]);
    runners.push(runner);
    return runner;
  }

  it("prints a random seed as JSON, without one in --faults", async () => {
    const runner = start('{"rules":[]}', "--json");

    expect((await runner.json(({ type }) => type === "faults")).seed).to.be.within(0, 2 ** 32);
  });

  it("prints the seed in the text output too", () => {
    const lines: string[] = [];

    textOutput(
      (line) => lines.push(line),
      (line) => expect.fail(line),
    ).faults(42);

    expect(lines).to.deep.equal(["Faults with seed 42"]);
  });

  it("reports an invalid --faults in one line, with exit code 2", async () => {
    const wrong: [string, RegExp][] = [
      ['{"rules":[{"kind":"throttle","share":2}]}', /rules\[0\]\.share is 2; allowed: a number/],
      ["{\n  nothing\n}", /it is not JSON/],
    ];
    for (const [plan, message] of wrong) {
      const runner = start(plan);

      expect(await runner.exited).to.equal(2);
      expect(runner.errors().trim()).to.match(message).and.to.not.contain("\n");
    }
    const missing = startRunner(["--faults", path.join(tmpdir(), "no-such-file.json")]);
    runners.push(missing);
    expect(await missing.exited).to.equal(2);
    expect(missing.errors()).to.contain("no such file");
  });
});
