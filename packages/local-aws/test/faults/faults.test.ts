import { expect } from "chai";
import { createFaults, type Faults } from "../../faults/faults";
import type { FaultRule } from "../../faults/plan";
import type { AllowedCall } from "../../gateway/interceptor";
import type { Principal } from "../../iam/principal";
import type { Fault } from "../../lambda/host";

const ANSWER = { status: 200, headers: {}, body: Buffer.from("{}") };

function faultsOf(rules: FaultRule[], seed = 1): Faults {
  return createFaults({ seed, rules });
}

/** How a call of a function ends: the error's name, or "done". */
async function call(
  faults: Faults,
  operation: string,
  functionName: string | null = "process-0123abc",
): Promise<string> {
  const principal: Principal = {
    accessKeyId: "AKIA",
    secretAccessKey: "secret",
    arn: "arn:aws:iam::123456789012:user/operator",
    policies: "all",
    ...(functionName !== null && { functionName }),
  };
  const request = { method: "POST", url: "/", headers: {}, body: Buffer.alloc(0) };
  const allowed: AllowedCall = {
    service: operation.split(":")[0] ?? "",
    operation,
    principal,
    request,
  };
  return faults
    .interceptCall(allowed, () => Promise.resolve(ANSWER))
    .then(
      () => "done",
      (error: unknown) => (error as Error).name,
    );
}

async function calls(faults: Faults, operation: string, count = 40): Promise<string[]> {
  const ends: string[] = [];
  for (let index = 0; index < count; index += 1) {
    ends.push(await call(faults, operation));
  }
  return ends;
}

async function invoke(faults: Faults, functionName: string): Promise<Fault | undefined> {
  return faults.interceptInvocation({ functionName, requestId: "1", payload: "{}", async: false });
}

/** An answer to every kind of question, many times. */
async function sequence(faults: Faults): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (let index = 0; index < 30; index += 1) {
    answers.push(
      await call(faults, "dynamodb:PutItem"),
      await call(faults, "sns:Publish"),
      JSON.stringify(await invoke(faults, "process-0123abc")),
      faults.objectEventDelays(100),
      faults.replays([]),
    );
  }
  return answers;
}

const MIXED: FaultRule[] = [
  { kind: "throttle", share: 0.3 },
  { kind: "reset", share: 0.3 },
  { kind: "crash", share: 0.3 },
  { kind: "timeout", share: 0.3 },
  { kind: "duplicateObjectEvents", share: 0.3 },
  { kind: "reorderObjectEvents", share: 0.3 },
  { kind: "replayStream", share: 0.3 },
];

describe("faults", () => {
  it("make the same choices from the same seed, and others from another", async () => {
    const first = await sequence(faultsOf(MIXED));

    expect(await sequence(faultsOf(MIXED))).to.deep.equal(first);
    expect(await sequence(faultsOf(MIXED, 2))).to.not.deep.equal(first);
  });

  it("make a rule's choices whatever other rules there are", async () => {
    const rule: FaultRule = { kind: "serverError", share: 0.4 };
    const alone = await calls(faultsOf([rule]), "s3:GetObject");

    // It comes last, so that it strikes only where none of the others does.
    const among = await calls(faultsOf([...MIXED, rule]), "s3:GetObject");

    expect(among).to.include("SlowDown");
    among.forEach((end, index) => {
      if (end !== "SlowDown" && end !== "ConnectionReset") {
        expect(end).to.equal(alone[index]);
      }
    });
  });

  it("make a function's choices whatever else is called in between", async () => {
    const rules: FaultRule[] = [{ kind: "reset", share: 0.5 }];
    const alone = await calls(faultsOf(rules), "sns:Publish");
    const busy = faultsOf(rules);
    const between: string[] = [];
    while (between.length < alone.length) {
      await call(busy, "dynamodb:UpdateItem");
      between.push(await call(busy, "sns:Publish"));
      await call(busy, "sns:Publish", "notify-0123abc");
    }

    expect(between).to.deep.equal(alone);
  });

  it("are injected as often as their share says", async () => {
    const faults = faultsOf([
      { kind: "throttle", share: 0.2 },
      { kind: "duplicateObjectEvents", share: 0.3 },
      { kind: "replayStream", share: 0.9 },
      { kind: "timeout", share: 0.05 },
    ]);
    for (let index = 0; index < 4000; index += 1) {
      await call(faults, "dynamodb:GetItem");
      await invoke(faults, "process");
      faults.objectEventDelays(0);
      faults.replays([]);
    }

    // Within four standard deviations.
    const { injected } = faults.report();
    expect(injected.throttle).to.be.within(699, 901);
    expect(injected.duplicateObjectEvents).to.be.within(1084, 1316);
    expect(injected.replayStream).to.be.within(3524, 3676);
    expect(injected.timeout).to.be.within(145, 255);
  });

  it("hit the service, operation and function that a rule names, and no other", async () => {
    const calling = faultsOf([
      { kind: "throttle", share: 1, service: "dynamodb", operation: "PutItem" },
    ]);
    expect(await call(calling, "dynamodb:PutItem")).to.match(/Exception$/);
    expect(await call(calling, "dynamodb:GetItem")).to.equal("done");
    expect(await call(calling, "sns:PutItem")).to.equal("done");

    const invoking = faultsOf([{ kind: "timeout", share: 1, function: "process" }]);
    expect(await invoke(invoking, "process-0123abc")).to.deep.equal({ kind: "timeout" });
    expect(await invoke(invoking, "process")).to.deep.equal({ kind: "timeout" });
    expect(await invoke(invoking, "process-other")).to.equal(undefined);
    expect(await invoke(invoking, "notify-0123abc")).to.equal(undefined);
  });

  it("crash before and after each of the first calls", async () => {
    const faults = faultsOf([{ kind: "crash", share: 1, maxCall: 3 }]);
    const seen = new Set<string>();
    for (let index = 0; index < 100; index += 1) {
      const fault = await invoke(faults, "process");
      if (fault?.kind === "crash") {
        seen.add(`${fault.when} ${fault.call}`);
      }
    }

    expect([...seen].sort()).to.deep.equal(
      ["after", "before"].flatMap((when) => [1, 2, 3].map((number) => `${when} ${number}`)),
    );
    // It is in the report when a process has died, not before.
    expect(faults.report()).to.deep.equal({ injected: {}, crashes: [] });
  });

  it("deliver an object's event twice, late, and out of order", () => {
    const twice = faultsOf([{ kind: "duplicateObjectEvents", share: 1, milliseconds: 50 }]);
    const [first, second, ...more] = twice.objectEventDelays(100);
    expect(first).to.equal(100);
    expect(second).to.be.within(100, 150);
    expect(more).to.deep.equal([]);

    const late = faultsOf([{ kind: "delayObjectEvents", share: 1, milliseconds: 50 }]);
    expect(late.objectEventDelays(100)).to.deep.equal([150]);

    const mixed = faultsOf([{ kind: "reorderObjectEvents", share: 1, milliseconds: 50 }]);
    const delays = Array.from({ length: 20 }, () => mixed.objectEventDelays(100)[0] ?? 0);
    for (const delay of delays) {
      expect(delay).to.be.within(100, 150);
    }
    expect(delays).to.not.deep.equal([...delays].sort((a, b) => a - b));

    expect(faultsOf([]).objectEventDelays(100)).to.deep.equal([100]);
  });

  it("take a service away from its first call on, and bring it back", async () => {
    const away: FaultRule = { kind: "outage", share: 1, service: "sns", seconds: 60 };
    const faults = faultsOf([away]);

    expect(await call(faults, "s3:GetObject")).to.equal("done");
    expect(await call(faults, "sns:Publish")).not.to.equal("done");
    expect(await invoke(faults, "process")).to.equal(undefined);

    expect(await call(faultsOf([{ ...away, seconds: 0 }]), "sns:Publish")).to.equal("done");
    expect(await call(faultsOf([{ ...away, afterSeconds: 60 }]), "sns:Publish")).to.equal("done");
  });

  it("take a function away, and no other one", async () => {
    const faults = faultsOf([{ kind: "outage", share: 1, function: "process", seconds: 60 }]);

    expect(await invoke(faults, "process-0123abc")).to.include({ kind: "error" });
    expect(await invoke(faults, "notify-0123abc")).to.equal(undefined);
    expect(await call(faults, "s3:GetObject")).to.equal("done");
    expect(faults.report().injected).to.deep.equal({ outage: 1 });
  });

  it("slow a call down in proportion, and pass its answer on", async () => {
    const faults = faultsOf([{ kind: "slow", share: 1, service: "s3", factor: 10 }]);

    expect(await calls(faults, "s3:GetObject", 3)).to.deep.equal(Array(3).fill("done"));
    expect(await call(faults, "sns:Publish")).to.equal("done");
    expect(faults.report().injected).to.deep.equal({ slow: 3 });
  });

  it("never hit the operator's own calls", async () => {
    const faults = faultsOf([{ kind: "reset", share: 1 }]);

    expect(await call(faults, "s3:ListBuckets", null)).to.equal("done");
    expect(faults.report().injected).to.deep.equal({});
  });

  it("end when they are stopped, and release delayed calls", async () => {
    const faults = faultsOf([
      { kind: "latency", share: 1, milliseconds: 60_000 },
      ...MIXED.map((rule): FaultRule => ({ ...rule, share: 1 })),
    ]);
    const heldUp = call(faults, "dynamodb:PutItem");

    faults.stop();

    expect(await heldUp).to.match(/Exception$/);
    const before = faults.report();
    expect(await calls(faults, "s3:GetObject", 5)).to.deep.equal(Array(5).fill("done"));
    expect(await invoke(faults, "process")).to.equal(undefined);
    expect(faults.objectEventDelays(100)).to.deep.equal([100]);
    expect(faults.replays([])).to.equal(false);
    expect(faults.report()).to.deep.equal(before);
  });
});
