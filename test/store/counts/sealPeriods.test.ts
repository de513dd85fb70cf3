import { expect } from "chai";
import type { EventKey } from "../../../events/event";
import { countEvents } from "../../../store/counts/countEvents";
import { sealPeriods } from "../../../store/counts/sealPeriods";
import { deleteEvent } from "../../../store/rows";
import { type Call, type CountedEvents, openCountedEvents } from "./countedEvents";

const DAY = 24 * 60 * 60;

describe("sealPeriods", () => {
  let events: CountedEvents;

  beforeEach(async () => {
    events = await openCountedEvents();
  });

  afterEach(() => events.close());

  async function reopen(): Promise<void> {
    await events.close();
    events = await openCountedEvents();
  }

  async function expectExact(): Promise<void> {
    expect(await events.counted()).to.deep.equal(await events.scanned());
  }

  /** The number of index rows that `countEvents` reads. */
  async function rowsRead(): Promise<number> {
    let read = 0;
    events.after = ({ input }, answer) => {
      if (input.TableName === "events") {
        read += (answer as { ScannedCount: number }).ScannedCount;
      }
    };
    await countEvents(events.store);
    events.after = () => undefined;
    return read;
  }

  /** Sealed periods, one of them to be sealed again, and a new one to be sealed. */
  async function prepareRun(): Promise<EventKey> {
    const kept = await events.put(DAY, "notified");
    const gone = await events.put(DAY + 5, "notified");
    await events.put(2000, "failed");
    await events.settle();
    await events.put(0, "notified");
    events.pass(800);
    await deleteEvent(events.store, gone);
    events.pass(181);
    await events.seal();
    events.pass(300);
    return kept;
  }

  /**
   * Runs `act` before the call with this number. Calls of `act` and those of `findPeriods` are not
   * counted.
   */
  function interrupt(at: number, act: () => Promise<void>): () => boolean {
    let calls = 0;
    let isDone = false;
    events.before = async ({ input }) => {
      if (!isDone && input.Limit === undefined && calls++ === at) {
        isDone = true;
        await act();
      }
    };
    return () => isDone;
  }

  it("continues in the next run after running out of time", async () => {
    for (let index = 0; index < 30; index += 1) {
      await events.put(3600 + index * 600, index % 3 === 0 ? "failed" : "notified");
    }
    const before = await rowsRead();

    for (let run = 0; run < 15; run += 1) {
      let calls = 0;
      events.before = () => {
        calls += 1;
      };
      await sealPeriods(events.store, () => calls < 30);
      await expectExact();
      events.pass(300);
    }
    events.before = () => undefined;

    await expectExact();
    expect(before).to.be.at.least(30);
    expect(await rowsRead()).to.equal(0);
  });

  it("leaves a period open until its last event is finished", async () => {
    const slow = await events.put(DAY, "uploaded");
    await events.put(DAY, "notified");
    await events.settle();
    await expectExact();

    await events.advance(slow, "processed");
    await events.settle();
    await expectExact();

    await events.advance(slow, "notified");
    await expectExact();
    await events.settle();
    await expectExact();
    expect(await rowsRead()).to.equal(0);
  });

  it("leaves exact counts wherever it is interrupted", async () => {
    await prepareRun();

    // Each run makes one more write than the last.
    let crashes = 0;
    for (let writes = 1; ; writes += 1) {
      let left = writes;
      events.after = ({ operation }: Call) => {
        if (operation !== "Query" && (left -= 1) === 0) {
          throw new Error("The sweeper's process ends here.");
        }
      };
      const error: unknown = await events.seal().catch((reason: unknown) => reason);
      events.after = () => undefined;
      await expectExact();
      if (error === undefined) {
        break;
      }
      crashes += 1;
    }
    await events.settle();
    await expectExact();
    expect(crashes).to.be.at.least(3);
    expect(await rowsRead()).to.equal(0);
  });

  it("runs twice concurrently", async () => {
    await prepareRun();

    for (let round = 0; round < 3; round += 1) {
      await Promise.all([events.seal(), events.seal(), events.put(DAY + round, "notified")]);
      await expectExact();
      events.pass(300);
    }

    await events.settle();
    await expectExact();
    expect(await rowsRead()).to.equal(0);
  });

  const meanwhile: Record<string, (kept: EventKey) => Promise<void>> = {
    delete: (kept) => deleteEvent(events.store, kept).then(() => undefined),
    "delete and seal": async (kept) => {
      await deleteEvent(events.store, kept);
      for (let run = 0; run < 2; run += 1) {
        events.pass(200);
        await events.seal();
      }
    },
  };
  for (const [what, act] of Object.entries(meanwhile)) {
    it(`is harmless when it pauses at any call while others ${what}`, async function () {
      for (let at = 0; ; at += 1) {
        const kept = await prepareRun();
        const wasInterrupted = interrupt(at, () => act(kept));

        await events.seal();
        events.before = () => undefined;

        await expectExact();
        if (!wasInterrupted()) {
          break;
        }
        await events.settle();
        await expectExact();
        await reopen();
      }
    });
  }

  it("does not affect concurrent counts", async () => {
    await prepareRun();
    const expected = await events.scanned();

    const during: unknown[] = [];
    let isCounting = false;
    events.before = async () => {
      if (!isCounting) {
        isCounting = true;
        during.push(await events.counted());
        isCounting = false;
      }
    };
    await events.seal();

    expect(during.length).to.be.at.least(10);
    for (const counts of during) {
      expect(counts).to.deep.equal(expected);
    }
  });

  it("does not affect a count that is slower than several runs", async function () {
    for (let at = 0; ; at += 1) {
      await prepareRun();
      const expected = await events.scanned();
      const wasInterrupted = interrupt(at, async () => {
        await events.seal();
        events.pass(300);
        await events.seal();
      });

      const counts = await events.counted();

      expect(counts, `interrupted at call ${at}`).to.deep.equal(expected);
      if (!wasInterrupted()) {
        break;
      }
      await reopen();
    }
  });
});
