import { expect } from "chai";
import { consumersIn, positionOf, resolutionsFor } from "../../../handlers/sweep/consumers";

const NOW = Date.parse("2026-11-26T12:00:30Z") / 1000;
const MINUTE = 60;

/** Data points, newest first: minutes before 12:00, and the age in seconds. */
function points(...each: [minutesAgo: number, ageSeconds: number][]) {
  return each.map(([minutesAgo, age]) => ({
    start: NOW - 30 - minutesAgo * MINUTE,
    value: age * 1000,
  }));
}

describe("a Lambda's position in the stream", () => {
  const [byMinute] = resolutionsFor(900);
  if (!byMinute) {
    throw new Error("There is no resolution.");
  }

  it("is not known without data", () => {
    expect(positionOf([], byMinute, NOW)).to.equal(undefined);
  });

  it("is that of the last record, less two minutes for its batch, while it is invoked", () => {
    expect(positionOf(points([1, 0], [2, 1]), byMinute, NOW)).to.deep.equal({
      isActive: true,
      // 11:58:00, 1 s and 2 minutes before.
      passed: "2026-11-26T11:55:59.000Z",
      reached: "2026-11-26T11:59:00.000Z",
    });
  });

  it("is that of the slowest shard of the last minutes", () => {
    // A shard that pauses between retries is not in each minute.
    const position = positionOf(points([1, 0], [2, 0], [4, 3600], [9, 36_000]), byMinute, NOW);
    expect(position?.passed).to.equal("2026-11-26T10:54:00.000Z");
  });

  it("includes all that it was sent, once it is quiet", () => {
    expect(positionOf(points([30, 1], [31, 3600]), byMinute, NOW)).to.deep.equal({
      isActive: false,
      passed: "2026-11-26T11:31:00.000Z",
      reached: "2026-11-26T11:31:00.000Z",
    });
    // It ended in the middle of a backlog.
    expect(positionOf(points([30, 3600]), byMinute, NOW)?.passed).to.equal(
      "2026-11-26T10:31:01.000Z",
    );
  });

  it("is known to the second on a local run with a short stuckSeconds, else by the minute", () => {
    expect(resolutionsFor(4).map(({ period }) => period)).to.deep.equal([1, 60]);
    expect(resolutionsFor(60).map(({ period }) => period)).to.deep.equal([60]);
  });
});

it("a Lambda that several statuses start is one consumer", () => {
  const names = { created: "process", uploaded: "process", processed: "notify", failed: "notify" };
  expect(consumersIn(JSON.stringify(names))).to.deep.equal([
    { functionName: "process", statuses: ["created", "uploaded"] },
    { functionName: "notify", statuses: ["processed", "failed"] },
  ]);
});
