import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import fc from "fast-check";
import { forEachConcurrently } from "../../runtime/concurrency";

describe("forEachConcurrently", () => {
  it("handles every item once, with exactly the limit at a time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 30 }), fc.integer({ min: 1, max: 8 }), async (n, limit) => {
        const items = Array.from({ length: n }, (_, index) => index);
        const done: number[] = [];
        let running = 0;
        let most = 0;

        const failures = await forEachConcurrently(items, limit, async (item) => {
          running += 1;
          most = Math.max(most, running);
          await setImmediate();
          running -= 1;
          done.push(item);
        });

        expect(failures).to.deep.equal([]);
        expect(done.sort((one, other) => one - other)).to.deep.equal(items);
        expect(most).to.equal(Math.min(n, limit));
        expect(running).to.equal(0);
      }),
      { numRuns: 40 },
    );
  });

  it("continues after a failure, and returns the failures in the order of the items", async () => {
    const done: string[] = [];
    const slowFirst: Record<string, number> = { a: 5, b: 1, c: 3, d: 1 };

    const failures = await forEachConcurrently(["a", "b", "c", "d"], 3, async (item) => {
      for (let turn = 0; turn < (slowFirst[item] ?? 0); turn += 1) {
        await setImmediate();
      }
      done.push(item);
      if (item !== "b") {
        throw new Error(item);
      }
    });

    expect(done).to.deep.equal(["b", "d", "c", "a"]);
    expect(failures.map(({ item, error }) => [item, (error as Error).message])).to.deep.equal([
      ["a", "a"],
      ["c", "c"],
      ["d", "d"],
    ]);
  });

  it("treats a synchronous throw as the failure of that item only", async () => {
    const failures = await forEachConcurrently([1, 2, 3], 1, (item) => {
      if (item === 2) {
        throw new Error("at once");
      }
      return Promise.resolve();
    });
    expect(failures.map(({ item }) => item)).to.deep.equal([2]);
  });

  it("returns failures whose error is undefined", async () => {
    const failures = await forEachConcurrently([1], 1, () =>
      // Libraries may throw any value.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      Promise.reject(undefined),
    );
    expect(failures).to.deep.equal([{ item: 1, error: undefined }]);
  });
});
