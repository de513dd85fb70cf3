import { expect } from "chai";
import { nextWait } from "../../../console/manager/api/pace";
import { ApiError } from "../../../console/shared/apiError";

const PACE = { fastest: 2000, slowest: 10_000 };

/** The waits of several runs with one outcome. */
function waits(outcome: boolean | ApiError, runs: number): number[] {
  let wait = PACE.fastest;
  return Array.from({ length: runs }, () => (wait = nextWait(PACE, wait, outcome)));
}

describe("the pace of the console's polling", () => {
  it("is the fastest while something changes, and slows down while nothing does", () => {
    expect(waits(true, 3)).to.deep.equal([2000, 2000, 2000]);
    expect(waits(false, 6)).to.deep.equal([3000, 4500, 6750, 10_000, 10_000, 10_000]);
  });

  it("halves with each error, to one request a minute", () => {
    const error = new ApiError(503, "storage_unavailable", "Try again.");
    expect(waits(error, 6)).to.deep.equal([4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  });

  it("waits for as long as the API asks", () => {
    const error = new ApiError(429, "quota_exceeded", "Later.", undefined, 3_600_000);
    expect(nextWait(PACE, 2000, error)).to.equal(3_600_000);
  });
});
