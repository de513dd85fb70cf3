import { expect } from "chai";
import { filesOf, only, type Recording, recordProgram } from "../../testing/recordingMocks";
import { LAMBDAS, variablesOf } from "./names";

describe("The program with statusShards 8", () => {
  let recording: Recording;
  let plain: Recording;

  before(async () => {
    recording = await recordProgram({ statusShards: "8" });
    plain = await recordProgram();
    expect([recording.error, ...recording.rejections]).to.deep.equal([undefined]);
  });

  it("has the index by shard, and besides it the same table", () => {
    const { attributes, globalSecondaryIndexes, tags, ...others } = only(
      recording,
      "Table",
      "events",
    ).inputs;
    expect(attributes).to.deep.equal([
      { name: "event_id", type: "S" },
      { name: "event_timestamp", type: "S" },
      { name: "status_shard", type: "S" },
      { name: "link_id", type: "S" },
    ]);
    const timeOrdered = { rangeKey: "event_timestamp", projectionType: "ALL" };
    expect(globalSecondaryIndexes).to.deep.equal([
      { name: "time-index", hashKey: "status_shard", ...timeOrdered },
      { name: "link-index", hashKey: "link_id", ...timeOrdered },
    ]);
    // By which the next deployment sees a smaller number.
    expect(tags).to.deep.equal({ statusShards: "8" });
    expect(only(plain, "Table", "events").inputs).to.deep.include(others);
  });

  it("starts Lambdas for the same statuses", () => {
    for (const name of ["events-process", "events-notify"]) {
      const filters = (of: Recording) => only(of, "EventSourceMapping", name).inputs.filterCriteria;
      expect(filters(recording)).to.deep.equal(filters(plain));
    }
  });

  for (const name of LAMBDAS) {
    it(`reaches ${name} by the environment alone: its code is the same`, async () => {
      expect(variablesOf(recording, name).STATUS_SHARDS).to.equal("8");
      const [code, plainCode] = await Promise.all(
        [recording, plain].map((made) => filesOf(only(made, "Function", name))),
      );
      expect(code).to.deep.equal(plainCode);
    });
  }
});
