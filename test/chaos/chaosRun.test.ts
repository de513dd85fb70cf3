import { expect } from "chai";
import type { Mix } from "../../chaos/mixes";
import { tableOf, verdictOf } from "../../chaos/report";
import { chaosRun } from "../../chaos/run";

describe("a short chaos run", function () {
  async function run(faults: Mix, seed: number, patienceMs: number) {
    const result = await chaosRun({ uploads: 40, seed, faults, clients: 16, patienceMs });
    expect(result.broken, `${tableOf(result)}\n${verdictOf(result)}`).to.deep.equal([]);
    return result;
  }

  it("notifies of every file under all kinds of faults", async () => {
    const { faults, world } = await run("all", 3, 4_000);

    expect(world.rows).to.have.lengthOf(40);
    expect(faults.injected).to.include.keys("throttle", "reset", "crash", "duplicateObjectEvents");
  });

  it("publishes every file once without faults, with at most four invocations", async () => {
    const { faults, world, observer, quietUnderFaults } = await run("none", 3, 50_000);

    expect(quietUnderFaults).to.equal(true);
    expect(faults).to.deep.equal({ injected: {}, crashes: [] });
    expect(world.rows.map(({ event_status }) => event_status)).to.deep.equal(
      Array.from({ length: 40 }, () => "notified"),
    );
    const published = world.moments.flatMap((moment) =>
      moment.kind === "published" ? moment.eventIds : [],
    );
    expect(published).to.have.lengthOf(40);
    expect(observer.invocations).to.include({ upload: 20, record: 40 });
    expect(observer.errors).to.deep.equal([]);
  });
});
