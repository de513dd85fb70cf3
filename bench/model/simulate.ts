import { POLL_SECONDS } from "./batches";
import { IndexCapacity } from "./indexCapacity";
import { StreamReader } from "./streamReader";
import { Writer } from "./writer";

/** The parameters of a simulation. */
export interface Simulation {
  /** Mean uploads a second, with Poisson arrivals. */
  rate: number;
  /** Partitions of the index for each status; the event's id selects one. */
  statusShards: number;
  /** Shards of the table's stream. */
  streamShards: number;
  /** Write units a second of the whole index. @default unlimited */
  indexWriteUnits?: number;
  /** Write units of one row. @default 1 */
  rowUnits?: number;
  /**
   * Seconds of unused capacity that a partition keeps. DynamoDB keeps up to 300, without a guarantee
   * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html).
   *
   * @default 0
   */
  burstSeconds?: number;
  /** @default 30 */
  seconds?: number;
  /** An integer; the same seed gives the same uploads. @default 1 */
  seed?: number;
}

export interface Outcome {
  uploaded: number;
  notified: number;
  /** Writes that were throttled, and retried. */
  throttled: number;
  /** Mean uploads under way in the second and in the last quarter of the time. */
  backlog: { secondQuarter: number; lastQuarter: number };
}

const TICK_SECONDS = 0.025;

/** The stream's two readers in index.ts, with the default `digestSeconds`. */
const PROCESS = { batchSize: 100, gatherSeconds: POLL_SECONDS };
const NOTIFY = { batchSize: 1000, gatherSeconds: 1 };

/** A rate is sustained while the backlog grows by at most this share of the uploads. */
const TOLERATED_GROWTH = 0.01;

/** Numbers from 0 to below 1 (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A Poisson-distributed number (Knuth's method, for small means). */
function poisson(mean: number, random: () => number): number {
  const end = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > end; product *= random()) {
    count += 1;
  }
  return count;
}

/** One shard of the stream: the writes to its rows, and its two readers. */
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
   * Adds the uploads of one tick. An event's id selects its shards; a random part of Poisson arrivals
   * is Poisson-distributed too, so that no ids are needed.
   *
   * @param mean uploads of one stream shard in one tick
   * @returns the number of uploads
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

  /** Does one of the three writes of an upload. The order rotates, so that none has priority. */
  step(tick: number, turn: number): void {
    this.steps[(tick + turn) % this.steps.length]?.(tick);
  }
}

/** Simulates uploads through the pipeline. */
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

/** Whether the backlog does not grow. */
export function isSustained(simulation: Simulation): boolean {
  const { uploaded, backlog } = simulate(simulation);
  const growth = backlog.lastQuarter - backlog.secondQuarter;
  return growth <= TOLERATED_GROWTH * (uploaded / 2);
}

/**
 * The highest sustained rate of uploads, by bisection.
 *
 * @param highest a rate that is not sustained
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
