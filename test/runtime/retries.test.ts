import { setTimeout } from "node:timers/promises";
import { expect } from "chai";
import { invocationRetries } from "../../runtime/retries";

const LONG_MS = 60_000;

/** Less than what is reserved for the end. */
const SHORT_MS = 20_000;

/** Without a cause, as the SDK's type wants it. */
function throttling(): Error & { cause?: Error } {
  const name = "ThrottlingException";
  return Object.assign(new Error("Rate exceeded"), { name, cause: undefined });
}

function retriesFor(milliseconds: number) {
  const retries = invocationRetries();
  retries.begin({ getRemainingTimeInMillis: () => milliseconds });
  return retries;
}

/** A step that fails so often, and counts its tries. */
function failing(failures: number, error: () => Error = throttling) {
  const step = {
    tries: 0,
    run: (): Promise<string> => {
      step.tries += 1;
      return step.tries > failures ? Promise.resolve("done") : Promise.reject(error());
    },
  };
  return step;
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail("It should have failed."),
    (error: unknown) => error,
  );
}

describe("invocationRetries", () => {
  it("repeats a step after transient errors, and gives its result", async () => {
    const step = failing(3);

    expect(await retriesFor(LONG_MS).repeat(step.run)).to.equal("done");

    expect(step.tries).to.equal(4);
  });

  it("repeats nothing after a permanent error", async () => {
    const step = failing(1, () => new TypeError("no"));

    expect(await errorOf(retriesFor(LONG_MS).repeat(step.run))).to.be.instanceOf(TypeError);

    expect(step.tries).to.equal(1);
  });

  it("begins and repeats nothing at the end of an invocation", async () => {
    const retries = retriesFor(SHORT_MS);
    const step = failing(1);

    expect(retries.hasTime()).to.equal(false);
    expect(await errorOf(retries.repeat(step.run))).to.have.property("name", "ThrottlingException");
    expect(step.tries).to.equal(1);
    retries.begin({ getRemainingTimeInMillis: () => LONG_MS });
    expect(retries.hasTime()).to.equal(true);
    expect(await retries.repeat(step.run)).to.equal("done");
  });

  it("repeats no step that takes longer than the time left", async () => {
    const retries = retriesFor(SHORT_MS + 20);
    const step = failing(1);

    await errorOf(
      retries.repeat(async () => {
        await setTimeout(40);
        return step.run();
      }),
    );

    expect(step.tries).to.equal(1);
  });

  it("repeats no step because of a call that was repeated in vain", async () => {
    const retries = retriesFor(SHORT_MS);
    const { clientStrategy } = retries;
    const error = throttling();
    const token = await clientStrategy.acquireInitialRetryToken("");
    await errorOf(
      clientStrategy.refreshRetryTokenForRetry(token, { error, errorType: "THROTTLING" }),
    );
    retries.begin({ getRemainingTimeInMillis: () => LONG_MS });
    const step = failing(1, () => error);

    expect(await errorOf(retries.repeat(step.run))).to.equal(error);

    expect(step.tries).to.equal(1);
  });

  it("stops repeating while a service is away, until a call succeeds", async () => {
    const retries = retriesFor(LONG_MS);
    const steps = Array.from({ length: 64 }, () => failing(Infinity));
    await Promise.allSettled(steps.map(({ run }) => retries.repeat(run)));
    const [away, back] = [failing(1), failing(1)];

    await errorOf(retries.repeat(away.run));
    expect(away.tries).to.equal(1);
    retries.clientStrategy.recordSuccess(await retries.clientStrategy.acquireInitialRetryToken(""));
    expect(await retries.repeat(back.run)).to.equal("done");

    const tries = steps.map((step) => step.tries);
    expect(Math.max(...tries)).to.be.at.most(2);
  });
});
