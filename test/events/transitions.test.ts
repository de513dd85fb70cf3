import { expect } from "chai";
import fc from "fast-check";
import { EVENT_STATUSES, type EventStatus, START_STATUSES } from "../../events/event";
import { isTransition, predecessorsOf } from "../../events/transitions";

/** The progress of an event; `failed` ends it. */
const PROGRESS: Record<EventStatus, number> = {
  created: 0,
  uploaded: 0,
  processed: 1,
  notified: 2,
  failed: 3,
};

const statuses = fc.constantFrom(...EVENT_STATUSES);

describe("transitions", () => {
  it("never move an event backwards, for any order of writers", () => {
    fc.assert(
      fc.property(fc.constantFrom(...START_STATUSES), fc.array(statuses), (start, wanted) => {
        let status: EventStatus = start;
        for (const to of wanted) {
          if (!isTransition(status, to)) {
            continue;
          }
          expect(PROGRESS[to], `${status} -> ${to}`).to.be.greaterThan(PROGRESS[status]);
          status = to;
        }
      }),
    );
  });

  it("lead out of neither notified nor failed", () => {
    for (const to of EVENT_STATUSES) {
      expect(isTransition("notified", to), to).to.equal(false);
      expect(isTransition("failed", to), to).to.equal(false);
    }
  });

  it("never repeat a status, so that the condition of a second delivery fails", () => {
    for (const status of EVENT_STATUSES) {
      expect(isTransition(status, status), status).to.equal(false);
    }
  });

  it("are exactly these", () => {
    const table = Object.fromEntries(EVENT_STATUSES.map((to) => [to, predecessorsOf(to)]));
    expect(table).to.deep.equal({
      created: [],
      uploaded: [],
      processed: ["created", "uploaded"],
      notified: ["processed"],
      failed: ["created", "uploaded", "processed"],
    });
  });
});
