import { invocationMs } from "./durations";
import type { Writer } from "./writer";

export interface StreamReaderOptions {
  lambda: "process" | "notify";
  batchSize: number;
  /** Seconds from one look into the shard to the next, or for which records gather. */
  gatherSeconds: number;
  tickSeconds: number;
  /** Partitions of the index for each status. */
  statusShards: number;
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** As many of the rows as fit, each shard's in proportion: in the stream they are mixed. */
function taken(waiting: readonly number[], most: number): number[] {
  const share = Math.min(1, most / Math.max(1, total(waiting)));
  const batch = waiting.map((rows) => Math.floor(rows * share));
  let room = Math.min(most, total(waiting)) - total(batch);
  return batch.map((rows, shard) => {
    const more = Math.min(room, (waiting[shard] ?? 0) - rows, 1);
    room -= more;
    return rows + more;
  });
}

/**
 * A Lambda on one shard of the table's stream: one batch at a time. The next one begins when every
 * row of the batch is written, for what has failed comes again before anything else.
 */
export class StreamReader {
  private readonly waiting: number[];
  private waitingRows = 0;
  private batch: number[];
  private batchRows = 0;
  private handedOn: number[];
  /** Rows of the batch that are not written. */
  private unfinished = 0;
  private startedAt = 0;
  private looksAgainAt = 0;

  constructor(
    private readonly options: StreamReaderOptions,
    private readonly writer: Writer,
  ) {
    const none = () => Array<number>(options.statusShards).fill(0);
    this.waiting = none();
    this.batch = none();
    this.handedOn = none();
  }

  /** Rows that are in the stream, or in the batch and not written. */
  get backlog(): number {
    return this.waitingRows + this.unfinished;
  }

  /** @param rows of one shard of the index, new in the stream */
  add(shard: number, rows: number): void {
    this.waiting[shard] = (this.waiting[shard] ?? 0) + rows;
    this.waitingRows += rows;
  }

  /**
   * Does the work of one tick.
   *
   * @returns how many rows were written, by the index's shard
   */
  step(tick: number): number[] {
    if (this.unfinished === 0 && tick >= this.looksAgainAt) {
      this.begin(tick);
    }
    if (this.unfinished === 0) {
      return [];
    }
    this.handOn(tick);
    const written = this.writer.write(tick);
    this.unfinished -= total(written);
    return written;
  }

  private begin(tick: number): void {
    const { batchSize, gatherSeconds, tickSeconds, statusShards } = this.options;
    this.batch = taken(this.waiting, batchSize);
    this.batchRows = total(this.batch);
    this.unfinished = this.batchRows;
    this.waitingRows -= this.batchRows;
    this.handedOn = Array<number>(statusShards).fill(0);
    this.batch.forEach((rows, shard) => {
      this.waiting[shard] = (this.waiting[shard] ?? 0) - rows;
    });
    this.startedAt = tick;
    // Behind a full batch waits the next one.
    const gathers = this.batchRows < batchSize;
    this.looksAgainAt = gathers ? tick + Math.round(gatherSeconds / tickSeconds) : tick;
  }

  /** The rows that an invocation has come to until now are written. */
  private handOn(tick: number): void {
    const { lambda, tickSeconds } = this.options;
    const elapsedMs = (tick + 1 - this.startedAt) * tickSeconds * 1000;
    const progress = Math.min(1, elapsedMs / invocationMs(lambda, this.batchRows));
    this.batch.forEach((rows, shard) => {
      const before = this.handedOn[shard] ?? 0;
      const now = Math.max(before, Math.floor(rows * progress));
      this.handedOn[shard] = now;
      this.writer.add(tick, shard, now - before);
    });
  }
}
