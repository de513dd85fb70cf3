import { invocationMs } from "./durations";
import type { Writer } from "./writer";

export interface StreamReaderOptions {
  lambda: "process" | "notify";
  batchSize: number;
  /** Seconds between two polls of the shard, or of the batch window. */
  gatherSeconds: number;
  tickSeconds: number;
  /** Partitions of the index for each status. */
  statusShards: number;
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** At most `most` rows, from each shard in proportion, since they are mixed in the stream. */
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
 * A Lambda on one shard of the table's stream, one batch at a time. The next batch begins when every
 * row of this one is written, since failed records are retried first.
 */
export class StreamReader {
  private readonly waiting: number[];
  private waitingRows = 0;
  private batch: number[];
  private batchRows = 0;
  private passedOn: number[];
  /** Rows of the batch not written yet. */
  private unfinished = 0;
  private startedAt = 0;
  private nextPollAt = 0;

  constructor(
    private readonly options: StreamReaderOptions,
    private readonly writer: Writer,
  ) {
    const none = () => Array<number>(options.statusShards).fill(0);
    this.waiting = none();
    this.batch = none();
    this.passedOn = none();
  }

  /** Rows in the stream, and rows of the batch not written yet. */
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
   * @returns the number of rows written, by shard of the index
   */
  step(tick: number): number[] {
    if (this.unfinished === 0 && tick >= this.nextPollAt) {
      this.begin(tick);
    }
    if (this.unfinished === 0) {
      return [];
    }
    this.passOn(tick);
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
    this.passedOn = Array<number>(statusShards).fill(0);
    this.batch.forEach((rows, shard) => {
      this.waiting[shard] = (this.waiting[shard] ?? 0) - rows;
    });
    this.startedAt = tick;
    // After a full batch, the next one starts at once.
    const gathers = this.batchRows < batchSize;
    this.nextPollAt = gathers ? tick + Math.round(gatherSeconds / tickSeconds) : tick;
  }

  /** Passes the rows that the invocation has processed by now to the writer. */
  private passOn(tick: number): void {
    const { lambda, tickSeconds } = this.options;
    const elapsedMs = (tick + 1 - this.startedAt) * tickSeconds * 1000;
    const progress = Math.min(1, elapsedMs / invocationMs(lambda, this.batchRows));
    this.batch.forEach((rows, shard) => {
      const before = this.passedOn[shard] ?? 0;
      const now = Math.max(before, Math.floor(rows * progress));
      this.passedOn[shard] = now;
      this.writer.add(tick, shard, now - before);
    });
  }
}
