import { expect } from "chai";
import { type CountedEvents, openCountedEvents } from "./countedEvents";

/** A row that moves between partitions of the index is briefly in neither. */
describe("sealPeriods, while a row moves between partitions", () => {
  let events: CountedEvents;

  beforeEach(async () => {
    events = await openCountedEvents();
  });

  afterEach(() => events.close());

  async function expectExact(): Promise<void> {
    expect(await events.counted()).to.deep.equal(await events.scanned());
  }

  for (const end of ["notified", "processed"] as const) {
    for (const others of [0, 1]) {
      for (const run of [0, 1, 2]) {
        it(`counts a ${end} row that run ${run} did not see, with ${others} other rows`, async () => {
          const slow = await events.put(0, "created");
          if (others > 0) {
            await events.put(0, "notified");
          }
          events.pass(900);
          for (let before = 0; before < run; before += 1) {
            await events.seal();
            events.pass(300);
          }
          await events.advance(slow, "processed");
          if (end === "notified") {
            await events.advance(slow, "notified");
          }
          const putBack = await events.removeRow(slow);

          await events.seal();

          await putBack();
          events.pass(300);
          await events.seal();
          if (end === "processed") {
            events.pass(300);
            await events.advance(slow, "notified");
            const putBackAgain = await events.removeRow(slow);
            await events.seal();
            await putBackAgain();
          }
          await events.settle();
          await expectExact();
        });
      }
    }
  }

  for (const runs of [0, 1, 2]) {
    it(`treats two concurrent scans as one, after ${runs} runs`, async () => {
      const slow = await events.put(0, "processed");
      await events.put(0, "notified");
      events.pass(900);
      for (let run = 0; run < runs; run += 1) {
        await events.seal();
        events.pass(300);
      }
      await events.advance(slow, "notified");
      const putBack = await events.removeRow(slow);

      await events.seal();
      await events.seal();

      await putBack();
      await events.settle();
      await expectExact();
    });
  }

  it("treats two concurrent scans as one", async () => {
    const slow = await events.put(0, "processed");
    events.pass(900);
    await events.advance(slow, "notified");
    const putBack = await events.removeRow(slow);

    await events.seal();
    await events.seal();

    await putBack();
    await events.settle();
    await expectExact();
  });
});
