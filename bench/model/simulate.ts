import { POLL_SECONDS } from "./batches";
import { IndexCapacity } from "./indexCapacity";
import { StreamReader } from "./streamReader";
import { Writer } from "./writer";

/** What is simulated. */
export interface Simulation {
  /** Uploads a second on average; they come at random (Poisson). */
  rate: number;
  /** Partitions of the index for each status; an event's id decides on its own. */
  statusShards: number;
  /** Shards of the table's stream. */
  streamShards: number;
  /** Write units a second of the whole index. @default no bound */
  indexWriteUnits?: number;
  /** Write units of one row. @default 1 */
  rowUnits?: number;
  /**
   * Seconds of unused capacity that a partition keeps. DynamoDB keeps up to 300, which are not to be
   * counted on (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html).
   *
   * @default 0
   */
  burstSeconds?: number;
  /** @default 30 */
  seconds?: number;
  /** Whole number: the same seed gives the same uploads. @default 1 */
  seed?: number;
}

export interface Outcome {
  uploaded: number;
  notified: number;
  /** Writes that were refused for want of capacity, and tried again. */
  throttled: number;
  /** Uploads under way, on average of the second and of the last quarter of the time. */
  backlog: { secondQuarter: number; lastQuarter: number };
}

const TICK_SECONDS = 0.025;

/** As index.ts sets the stream's two readers, and `digestSeconds` by default. */
const PROCESS = { batchSize: 100, gatherSeconds: POLL_SECONDS };
const NOTIFY = { batchSize: 1000, gatherSeconds: 1 };

/** A backlog that grows by more than this share of what comes will never end. */
const TOLERATED_GROWTH = 0.01;

/** Numbers from 0 to below 1 (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How many come in a time in which `mean` come on average (Knuth's way, for small means). */
function poisson(mean: number, random: () => number): number {
  const end = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > end; product *= random()) {
    count += 1;
  }
  return count;
}

/** One shard of the stream: what is written to its rows, and its two readers. */
class Shard {
  notified = 0;
  private readonly puts: Writer;
  private readonly process: StreamReader;
  private readonly notify: StreamReader;

  constructor(
    private readonly statusShards: number,
    index: IndexCapacity,
    private readonly random: () => number,
  ) {
    const common = { tickSeconds: TICK_SECONDS, statusShards };
    const writer = (...statuses: ConstructorParameters<typeof Writer>[1]) =>
      new Writer(index, statuses, statusShards, random);
    this.puts = writer("uploaded");
    this.process = new StreamReader(
      { lambda: "process", ...PROCESS, ...common },
      writer("uploaded", "processed"),
    );
    this.notify = new StreamReader(
      { lambda: "notify", ...NOTIFY, ...common },
      writer("processed", "notified"),
    );
  }

  get backlog(): number {
    return this.puts.pending + this.process.backlog + this.notify.backlog;
  }

  /**
   * Uploads come: each one's id decides on its shards. Of what comes at random, a random part comes
   * at random as well, so that no ids are needed.
   *
   * @param mean of one shard of the stream in one tick
   * @returns how many came
   */
  upload(tick: number, mean: number): number {
    let uploaded = 0;
    for (let shard = 0; shard < this.statusShards; shard += 1) {
      const rows = poisson(mean / this.statusShards, this.random);
      this.puts.add(tick, shard, rows);
      uploaded += rows;
    }
    return uploaded;
  }

  private readonly steps: ((tick: number) => void)[] = [
    (tick) => {
      this.puts.write(tick).forEach((rows, shard) => {
        this.process.add(shard, rows);
      });
    },
    (tick) => {
      this.process.step(tick).forEach((rows, shard) => {
        this.notify.add(shard, rows);
      });
    },
    (tick) => {
      for (const rows of this.notify.step(tick)) {
        this.notified += rows;
      }
    },
  ];

  /** Does one of the three writes of an upload; which is the first to find capacity, is taken in turns. */
  step(tick: number, turn: number): void {
    this.steps[(tick + turn) % this.steps.length]?.(tick);
  }
}

/** Lets uploads flow through the pipeline. */
export function simulate(simulation: Simulation): Outcome {
  const { rate, statusShards, streamShards, seconds = 30, rowUnits = 1 } = simulation;
  const { indexWriteUnits = Infinity, burstSeconds = 0, seed = 1 } = simulation;
  const random = randomNumbers(seed);
  const index = new IndexCapacity({ statusShards, indexWriteUnits, burstSeconds }, rowUnits);
  const shards = Array.from({ length: streamShards }, () => new Shard(statusShards, index, random));
  const backlogNow = () => shards.reduce((sum, { backlog }) => sum + backlog, 0);
  const ticks = Math.round(seconds / TICK_SECONDS);
  let uploaded = 0;
  const backlogs: number[] = [];
  for (let tick = 0; tick < ticks; tick += 1) {
    index.refill(TICK_SECONDS);
    for (const shard of shards) {
      uploaded += shard.upload(tick, (rate * TICK_SECONDS) / streamShards);
    }
    for (const turn of [0, 1, 2]) {
      for (let i = 0; i < streamShards; i += 1) {
        shards[(i + tick) % streamShards]?.step(tick, turn);
      }
    }
    backlogs.push(backlogNow());
  }
  const meanOf = (from: number, to: number) => {
    const values = backlogs.slice(from * ticks, to * ticks);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return {
    uploaded,
    notified: shards.reduce((sum, { notified }) => sum + notified, 0),
    throttled: index.throttled,
    backlog: { secondQuarter: meanOf(0.25, 0.5), lastQuarter: meanOf(0.75, 1) },
  };
}

/** Whether the backlog stays as it is. */
export function isSustained(simulation: Simulation): boolean {
  const { uploaded, backlog } = simulate(simulation);
  const growth = backlog.lastQuarter - backlog.secondQuarter;
  return growth <= TOLERATED_GROWTH * (uploaded / 2);
}

/**
 * The highest rate of uploads that is sustained, found by bisection.
 *
 * @param highest a rate that is not
 */
export function sustainedRate(simulation: Omit<Simulation, "rate">, highest = 10_000): number {
  let low = 0;
  let high = highest;
  while (high - low > 0.01 * high) {
    const rate = (low + high) / 2;
    if (isSustained({ ...simulation, rate })) {
      low = rate;
    } else {
      high = rate;
    }
  }
  return low;
}
