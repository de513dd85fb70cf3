import { PARTITION_WRITE_UNITS } from "./limits";

const STATUSES = ["uploaded", "processed", "notified"] as const;

export type Status = (typeof STATUSES)[number];

export interface IndexOptions {
  /** Partitions for each status. */
  statusShards: number;
  /** Write units a second of the whole index. */
  indexWriteUnits: number;
  /** Seconds of unused capacity that a partition keeps. */
  burstSeconds: number;
}

/** Tolerance for floating-point sums. */
const ROUNDING = 1e-9;

/** Capacity that refills over time. */
class TokenBucket {
  private tokens = 0;

  constructor(
    private readonly perSecond: number,
    private readonly keepSeconds: number,
  ) {}

  refill(seconds: number): void {
    const most = this.perSecond * Math.max(seconds, this.keepSeconds);
    this.tokens = Math.min(most, this.tokens + this.perSecond * seconds);
  }

  get available(): number {
    return this.tokens;
  }

  take(units: number): void {
    this.tokens -= units;
  }
}

/** The index: one bucket for each partition of each status, and one for all of them. */
export class IndexCapacity {
  throttled = 0;
  private readonly partitions: Record<Status, TokenBucket[]>;
  private readonly whole: TokenBucket;

  constructor(
    { statusShards, indexWriteUnits, burstSeconds }: IndexOptions,
    private readonly rowUnits: number,
  ) {
    const buckets = () =>
      Array.from(
        { length: statusShards },
        () => new TokenBucket(PARTITION_WRITE_UNITS, burstSeconds),
      );
    this.partitions = { uploaded: buckets(), processed: buckets(), notified: buckets() };
    this.whole = new TokenBucket(indexWriteUnits, burstSeconds);
  }

  refill(seconds: number): void {
    this.whole.refill(seconds);
    for (const status of STATUSES) {
      for (const bucket of this.partitions[status]) {
        bucket.refill(seconds);
      }
    }
  }

  /**
   * Writes rows of one shard, each into or out of all these statuses.
   *
   * @returns the number of rows within the capacity
   */
  write(statuses: readonly Status[], shard: number, rows: number): number {
    const { rowUnits, partitions, whole } = this;
    // Loops without lists: a simulation comes here millions of times.
    let room = whole.available / (rowUnits * statuses.length);
    for (const status of statuses) {
      room = Math.min(room, (partitions[status][shard]?.available ?? Infinity) / rowUnits);
    }
    const written = Math.min(rows, Math.max(0, Math.floor(room + ROUNDING)));
    for (const status of statuses) {
      partitions[status][shard]?.take(written * rowUnits);
    }
    whole.take(written * rowUnits * statuses.length);
    this.throttled += rows - written;
    return written;
  }
}
