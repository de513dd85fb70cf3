import { expect } from "chai";
import type { Mix } from "../../chaos/mixes";
import { tableOf, verdictOf } from "../../chaos/report";
import { chaosRun } from "../../chaos/run";

describe("a short chaos run", function () {
  async function run(faults: Mix, seed: number, patienceMs: number) {
    // While a row waits in the stream, each sweep counts an attempt.
    const options = { uploads: 40, seed, faults, clients: 16, patienceMs, maxAttempts: 100 };
    const result = await chaosRun(options);
    expect(result.outcome, `${tableOf(result)}\n${verdictOf(result)}`).to.equal("held");
    return result;
  }

  it("notifies of every file under all kinds of faults", async () => {
    const { faults, observer } = await run("all", 3, 4_000);

    expect(observer.events).to.be.at.least(40);
    expect(faults.injected).to.include.keys("throttle", "reset", "crash", "duplicateObjectEvents");
  });

  it("publishes every file once without faults, with at most four invocations", async () => {
    const { faults, world, observer, quietUnderFaults } = await run("none", 3, 50_000);

    expect(quietUnderFaults).to.equal(true);
    expect(faults).to.deep.equal({ injected: {}, crashes: [] });
    const outcomes = [...world.outcomes];
    const lateWrites = outcomes.reduce((sum, { lateWrites: late = 0 }) => sum + late, 0);
    expect(lateWrites, "files sent after their event was deleted").to.be.greaterThan(0);
    expect(outcomes.some(({ writes = [] }) => writes.length > 1)).to.equal(true);
    expect(observer.invocations).to.include({ upload: 20, record: observer.events + lateWrites });
    expect(observer.errors).to.deep.equal([]);
    const published = [...world.moments].flatMap((moment) =>
      moment.kind === "published" ? moment.eventIds : [],
    );
    expect(published).to.have.lengthOf(observer.statuses.notified ?? 0);
  });
});
