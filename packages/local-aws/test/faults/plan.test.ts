import { expect } from "chai";
import { checkFaultPlan, parseFaultPlan } from "../../faults/plan";
import { StartError } from "../../startError";

describe("fault plan", () => {
  it("accepts a rule of every kind, with every field", () => {
    const call = { share: 0.2, service: "dynamodb", operation: "PutItem" };
    const plan = {
      seed: 7,
      rules: [
        { kind: "throttle", ...call },
        { kind: "serverError", ...call },
        { kind: "reset", share: 1 },
        { kind: "latency", ...call, milliseconds: 20 },
        { kind: "slow", ...call, factor: 10 },
        { kind: "outage", ...call, seconds: 20, afterSeconds: 5 },
        { kind: "outage", function: "process", share: 1, seconds: 20 },
        { kind: "crash", function: "process", share: 0, maxCall: 3 },
        { kind: "timeout", function: "process", share: 0.1 },
        { kind: "duplicateObjectEvents", share: 0.3, milliseconds: 5 },
        { kind: "reorderObjectEvents", share: 0.3 },
        { kind: "delayObjectEvents", share: 0.3, milliseconds: 5 },
        { kind: "replayStream", share: 0.3 },
      ],
    };

    expect(parseFaultPlan(JSON.stringify(plan))).to.deep.equal(plan);
  });

  it("chooses a seed where none is given", () => {
    const seeds = [1, 2, 3].map(() => parseFaultPlan('{"rules":[]}').seed);

    expect(new Set(seeds).size).to.equal(3);
    for (const seed of seeds) {
      expect(seed).to.be.within(0, 2 ** 32 - 1);
    }
  });

  const rule = (values: object): object => ({ seed: 1, rules: [{ kind: "reset", ...values }] });
  const wrong: [plan: unknown, message: string][] = [
    [[], "the plan is []; allowed: an object with seed and rules"],
    [{ seed: 1 }, "rules is missing; allowed: an array of rules"],
    [{ rules: [] }, "seed is missing; allowed: a whole number from 0 to 4294967295"],
    [{ seed: "x", rules: [] }, 'seed is "x"; allowed: a whole number from 0 to 4294967295'],
    [{ seed: 1, rules: [], rule: 1 }, "rule is not known; allowed: seed, rules"],
    [{ seed: 1, rules: [5] }, "rules[0] is 5; allowed: an object with kind and share"],
    [
      { seed: 1, rules: [{ kind: "toString", share: 1 }] },
      'rules[0].kind is "toString"; allowed: one of throttle, serverError, reset, latency, slow, ' +
        "outage, crash, timeout, duplicateObjectEvents, reorderObjectEvents, delayObjectEvents, replayStream",
    ],
    [rule({}), "rules[0].share is missing; allowed: a number from 0 to 1"],
    [rule({ share: 1.1 }), "rules[0].share is 1.1; allowed: a number from 0 to 1"],
    [rule({ share: "1" }), 'rules[0].share is "1"; allowed: a number from 0 to 1'],
    [
      rule({ share: 1, service: "dynamo" }),
      'rules[0].service is "dynamo"; allowed: one of dynamodb, monitoring, s3, sns, sqs, sts',
    ],
    [
      rule({ share: 1, operation: "dynamodb:PutItem" }),
      'rules[0].operation is "dynamodb:PutItem"; allowed: an operation such as "PutItem"',
    ],
    [
      rule({ share: 1, operation: "PutItme" }),
      'rules[0].operation is "PutItme"; allowed: PutItem, and others (README of local-aws)',
    ],
    [
      rule({ share: 1, service: "sts", operation: "PutItem" }),
      'rules[0].operation is "PutItem"; allowed: one of GetCallerIdentity',
    ],
    [
      rule({ share: 1, milliseconds: 4 }),
      "rules[0].milliseconds is not known; allowed: kind, share, service, operation",
    ],
    [
      { seed: 1, rules: [{ kind: "latency", share: 1 }] },
      "rules[0].milliseconds is missing; allowed: a whole number from 0 to 60000",
    ],
    [
      { seed: 1, rules: [{ kind: "outage", share: 1, seconds: 1 }] },
      "rules[0] needs either service or function, to name what is away",
    ],
    [
      { seed: 1, rules: [{ kind: "outage", share: 1, seconds: 1, service: "s3", function: "f" }] },
      "rules[0] needs either service or function, to name what is away",
    ],
    [
      { seed: 1, rules: [{ kind: "crash", share: 1, maxCall: 0 }] },
      "rules[0].maxCall is 0; allowed: a whole number from 1 to 1000",
    ],
  ];
  for (const [plan, message] of wrong) {
    it(`names the problem: ${message.slice(0, 40)}`, () => {
      expect(() => checkFaultPlan(plan))
        .to.throw(StartError)
        .with.property("message", message);
    });
  }

  it("reports a file that is not JSON in one line", () => {
    expect(() => parseFaultPlan('{\n "rules":\n  oops\n}'))
      .to.throw(StartError)
      .with.property("message")
      .that.matches(/^it is not JSON: [^\n]+$/);
  });
});
