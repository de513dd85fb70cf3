import { expect } from "chai";
import { untilRest, type Work, workText } from "../../chaos/rest";

const NOTHING: Work = {
  unfinished: { created: 0 },
  withoutEvent: 0,
  records: { process: 0, notify: 0 },
  objectEvents: 0,
  invocations: {},
  clients: 0,
  deadLetters: 0,
};

/** An observer of a run in which nothing has happened for long. */
const QUIET = { lastChange: -60_000, lastProgress: -60_000 };

const AT_ONCE = { patienceMs: 0, until: Infinity };

describe("the rest of a chaos run", () => {
  const ends: [string, Partial<Work>, string][] = [
    ["done when everything is settled", {}, "done"],
    ["stopped with an event that nothing works on", { unfinished: { created: 1 } }, "stopped"],
    ["stopped with an object that nothing records", { withoutEvent: 1 }, "stopped"],
    ["working while stream records wait", { records: { process: 5 } }, "working"],
    ["working while a Lambda runs", { invocations: { notify: 1 } }, "working"],
    ["working while S3 events are to be delivered", { objectEvents: 1 }, "working"],
  ];
  for (const [what, work, expected] of ends) {
    it(`is ${what}`, async () => {
      expect(await untilRest(QUIET, () => ({ ...NOTHING, ...work }), AT_ONCE)).to.equal(expected);
    });
  }

  it("is waited for as long as there is progress, however little patience there is", async () => {
    let left = 3;
    const observer = {
      lastChange: -60_000,
      // Each look finds another status changed, until none is left to change.
      get lastProgress() {
        left -= 1;
        return performance.now();
      },
    };
    const work = () => ({ ...NOTHING, unfinished: { created: Math.max(0, left) } });

    expect(await untilRest(observer, work, { patienceMs: 1, until: Infinity })).to.equal("done");
  });

  it("is never said of a run that changes", async () => {
    const changing = {
      get lastChange() {
        return performance.now();
      },
      lastProgress: -60_000,
    };

    expect(await untilRest(changing, () => NOTHING, AT_ONCE)).to.equal("working");
  });

  it("says what is left in words", () => {
    const text = workText({ ...NOTHING, unfinished: { created: 7 }, records: { process: 9 } });

    expect(text).to.equal("7 events created, 9 stream records that process has not passed");
  });
});
