import { expect } from "chai";
import { killRun } from "../../chaos/kill";

describe("kill -9 of a run that keeps its data", function () {
  it("loses nothing: after a restart, every stored object reaches notified", async () => {
    const { broken, text, unfinished } = await killRun({
      uploads: 100,
      seed: 5,
      clients: 16,
      patienceMs: 90_000,
    });

    expect(broken, text).to.deep.equal([]);
    expect(unfinished, "killed too late to interrupt anything").to.be.greaterThan(0);
  });
});
