import { expect } from "chai";
import { readWork } from "../../../bench/cost/checkedInWork";
import { averageBatch } from "../../../bench/model/batches";
import { type Limit, limitsOf, mailsPerSecond, shardsOf } from "../../../bench/model/limits";
import { simulate, sustainedRate } from "../../../bench/model/simulate";
import { stackOf } from "../../../bench/scale/scale";

const { ours } = readWork();

function rateOf(limits: Limit[], start: string): number {
  return limits.find(({ limit }) => limit.startsWith(start))?.rate ?? NaN;
}

describe("the limits of a stack", () => {
  it("start at 500 uploads a second, where one status fills its index partition", () => {
    // The throttle of the API is set to what the index takes.
    const [first, second] = limitsOf(stackOf(ours, { requestsPerSecond: 500 }));

    expect([first?.rate, second?.rate]).to.deep.equal([500, 500]);
    expect([first?.movedBy, second?.movedBy]).to.have.members([
      "statusShards",
      "requestsPerSecond",
    ]);
  });

  it("rise with statusShards, up to the limit of a new table", () => {
    const limits = limitsOf(stackOf(ours, { statusShards: 8, requestsPerSecond: 10_000 }));

    expect(rateOf(limits, "index partition")).to.equal(4000);
    expect(limits[0]?.limit).to.match(/^the index's warm throughput/);
    expect(limits[0]?.rate).to.equal(800);
  });

  it("shrink with larger rows", () => {
    const indexWriteUnitsByStatus = { uploaded: 4, processed: 4, notified: 2 };
    const large = { ...ours, indexWriteUnits: 10, indexWriteUnitsByStatus };

    const limits = limitsOf(stackOf(large));

    expect(rateOf(limits, "index partition")).to.equal(250);
    expect(rateOf(limits, "the index's warm")).to.equal(400);
  });

  it("are sorted, each with its remedy and source", () => {
    const limits = limitsOf(stackOf(ours));

    const rates = limits.map(({ rate }) => rate);
    expect(rates).to.deep.equal(rates.toSorted((a, b) => a - b));
    for (const { limit, movedBy, source } of limits) {
      expect(movedBy, limit).not.to.equal("");
      expect(source, limit).to.match(/^https:\/\//);
    }
  });

  it("include the rate of mails where many shards send their own", () => {
    const warm = stackOf(ours, { warmWriteUnits: 32_000 });
    const limit = rateOf(limitsOf(warm), "SNS suspends");

    expect(shardsOf(warm)).to.equal(32);
    expect(limit).to.be.below(100);
    expect(mailsPerSecond(warm, 0.9 * limit)).to.be.below(10);
    expect(mailsPerSecond(warm, 1.1 * limit)).to.be.above(10);
    expect(rateOf(limitsOf(stackOf(ours)), "SNS suspends")).to.be.above(1000);
  });
});

describe("the average batch", () => {
  const batching = { recordsPerUpload: 1, batchSize: 100, windowSeconds: 0 };

  it("is one record at low rates, and a full batch at high rates", () => {
    expect(averageBatch("process", batching, 0.001)).to.be.closeTo(1, 0.01);
    expect(averageBatch("process", batching, 10_000)).to.equal(100);
  });

  it("has the records since the last poll, or within the window", () => {
    const looked = averageBatch("process", batching, 100);
    const gathered = averageBatch("notify", { ...batching, windowSeconds: 0.5 }, 100);

    expect(looked).to.be.closeTo(25, 0.01);
    expect(gathered).to.be.closeTo(51, 0.01);
  });
});

describe("the simulation", () => {
  const many = { streamShards: 32 };

  it("agrees with the model: 8 shards sustain 7 to 8 times the rate of one", () => {
    const one = sustainedRate({ ...many, statusShards: 1, seconds: 20 }, 1000);
    const eight = sustainedRate({ ...many, statusShards: 8, seconds: 20 }, 8000);

    expect(one).to.be.closeTo(500, 50);
    expect(eight).to.be.closeTo(4000, 400);
    expect(eight / one).to.be.within(7, 8.2);
  });

  it("finds the next limit once the index has enough partitions", () => {
    const rate = sustainedRate({ statusShards: 8, streamShards: 4, indexWriteUnits: 4000 }, 1600);

    expect(rate).to.be.closeTo(800, 80);
  });

  it("loses no upload, and is deterministic", () => {
    const simulation = { rate: 300, statusShards: 2, streamShards: 4, seconds: 10, seed: 7 };

    const first = simulate(simulation);
    const again = simulate(simulation);
    const other = simulate({ ...simulation, seed: 8 });

    expect(again).to.deep.equal(first);
    expect(other).not.to.deep.equal(first);
    expect(first.uploaded).to.be.within(2700, 3300);
    // Uploads under way at the end: those of about two seconds.
    expect(first.uploaded - first.notified).to.be.within(0, 900);
  });

  it("throttles writes above the limit, and rarely far below it", () => {
    const above = simulate({ rate: 700, statusShards: 1, streamShards: 4 });
    const below = simulate({ rate: 50, statusShards: 1, streamShards: 4 });

    expect(above.throttled).to.be.above(above.uploaded);
    expect(above.backlog.lastQuarter).to.be.above(1.5 * above.backlog.secondQuarter);
    expect(below.throttled).to.be.below(below.uploaded / 2);
  });

  it("sustains bursts where a partition keeps unused capacity", () => {
    const slow = { rate: 600, statusShards: 1, streamShards: 4, seconds: 10 };

    const strict = simulate(slow);
    const lenient = simulate({ ...slow, burstSeconds: 300 });

    expect(lenient.throttled).to.be.at.most(strict.throttled);
  });
});
