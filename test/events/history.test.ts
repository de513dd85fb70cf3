import { expect } from "chai";
import fc from "fast-check";
import type { HistoryEntry } from "../../events/event";
import { MAX_ENTRIES, secondsInStatus, withEntry } from "../../events/history";
import { fromHistoryList } from "../../events/item";
import { histories } from "./arbitraries";

function entry(status: HistoryEntry["status"], seconds: number): HistoryEntry {
  return { status, time: new Date(seconds * 1000).toISOString(), function: "process" };
}

describe("An event's history", () => {
  it("keeps the first entry and the newest, 20 at most", () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 0, max: 50 }), (begin, added) => {
        let history = begin;
        const all = [...begin];
        for (let count = 0; count < added; count += 1) {
          history = withEntry(history, entry("uploaded", count));
          all.push(entry("uploaded", count));
        }
        expect(history).to.have.length(Math.min(all.length, MAX_ENTRIES));
        expect(history[0]).to.deep.equal(all[0]);
        expect(history.slice(1)).to.deep.equal(
          history.length > 1 ? all.slice(1 - history.length) : [],
        );
      }),
    );
  });

  it("begins with the next change of a row that version 1.0 wrote", () => {
    expect(fromHistoryList(undefined)).to.equal(undefined);
    expect(withEntry(undefined, entry("processed", 1))).to.deep.equal([entry("processed", 1)]);
  });

  it("leaves out what somebody wrote by hand in another form", () => {
    const good = { M: { status: { S: "uploaded" }, time: { S: "t" }, function: { S: "upload" } } };
    const list = [{ S: "uploaded" }, { M: { status: { S: "lost" } } }, good, {}];
    expect(fromHistoryList({ L: list })).to.deep.equal([
      { status: "uploaded", time: "t", function: "upload" },
    ]);
    expect(fromHistoryList({ S: "uploaded" })).to.equal(undefined);
  });

  it("says how long the event was in each status", () => {
    const history = [
      entry("uploaded", 10),
      entry("uploaded", 12),
      entry("failed", 15),
      entry("uploaded", 25.5),
    ];
    expect(secondsInStatus(history, 30_000)).to.deep.equal({ uploaded: 9.5, failed: 10.5 });
    expect(secondsInStatus([entry("processed", 1), entry("notified", 2)], 9_000)).to.deep.equal({
      processed: 1,
    });
  });
});
