import { expect } from "chai";
import { openCloud, type State, type TestCloud } from "../testCloud";

/** A minute is then 60 milliseconds. */
const DELAY_SCALE = 0.001;

describe("a schedule", () => {
  let test: TestCloud;
  let rule: State;
  let reached: (() => void) | undefined;

  afterEach(() => test.close());

  /** Starts a cloud with a rule, a target, and the permission for `sourceArn`. */
  async function setUp(
    scheduleExpression: string,
    { sourceArn = "", runMs = 0 } = {},
  ): Promise<void> {
    test = await openCloud({ delayScale: DELAY_SCALE, onInvocation: () => reached?.() });
    rule = await test.make("cloudwatch/eventRule:EventRule", "sweep", { scheduleExpression });
    const { arn, name } = await test.makeFunction(
      "sweep",
      `await new Promise((resolve) => setTimeout(resolve, ${runMs}));`,
    );
    await test.make("lambda/permission:Permission", "sweep", {
      action: "lambda:InvokeFunction",
      function: name,
      principal: "events.amazonaws.com",
      sourceArn: sourceArn || rule.arn,
    });
    await test.make("cloudwatch/eventTarget:EventTarget", "sweep", { rule: rule.name, arn });
    test.cloud.start(["sweep"]);
  }

  async function invocations(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      reached = () => {
        if (test.invocations.length >= count) {
          resolve();
        }
      };
      reached();
    });
  }

  it("starts its function repeatedly, with EventBridge's scheduled event", async () => {
    const begin = performance.now();
    await setUp("rate(2 minutes)");
    await invocations(3);

    const [first, , third] = test.invocations;
    expect((third?.at ?? 0) - begin).to.be.at.least(3 * 2 * 60 - 10);
    expect(first?.payload).to.deep.include({
      "detail-type": "Scheduled Event",
      source: "aws.events",
      resources: [rule.arn],
    });
    expect(test.errors).to.deep.equal([]);
  });

  it("stops when the cloud closes, during a run too, and reports no loss", async () => {
    await setUp("rate(1 minute)", { runMs: 150 });
    await invocations(1);
    await test.cloud.close();
    const before = test.invocations.length;
    // Long enough for two more.
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(test.invocations).to.have.lengthOf(before);
    expect(test.errors).to.deep.equal([]);
  });

  it("does not keep the cloud from being idle, even if there is always a run", async () => {
    await setUp("rate(1 minute)", { runMs: 150 });
    await invocations(3);
    await test.cloud.idle();
    expect(test.cloud.asyncInvoker.pending()).to.equal(0);
  });

  it("starts nothing without the permission for its own rule, and reports the denial", async () => {
    await setUp("rate(1 minute)", {
      sourceArn: "arn:aws:events:eu-central-1:000000000000:rule/another",
    });
    while (test.errors.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(test.errors[0]).to.contain("events.amazonaws.com is not authorized");
    expect(test.invocations).to.deep.equal([]);
  });

  it("is refused unless it is a rate, instead of never firing", async () => {
    test = await openCloud();
    const made = test.make("cloudwatch/eventRule:EventRule", "sweep", {
      scheduleExpression: "cron(0 * * * ? *)",
    });
    expect(await made.catch(String)).to.contain("cron(0 * * * ? *)");
  });
});
