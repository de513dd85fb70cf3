import type { IndexCapacity, Status } from "./indexCapacity";

/** A throttled write is retried after one to this many ticks, at random. */
const MAX_BACK_OFF_TICKS = 4;

/** The writes of one kind in one stream shard, by index shard. */
export class Writer {
  /** Writes not done yet, including those in back-off. */
  pending = 0;
  private readonly due: number[][];

  constructor(
    private readonly index: IndexCapacity,
    private readonly statuses: readonly Status[],
    shards: number,
    private readonly random: () => number,
  ) {
    this.due = Array.from({ length: MAX_BACK_OFF_TICKS + 1 }, () => Array<number>(shards).fill(0));
  }

  add(tick: number, shard: number, rows: number): void {
    this.pending += rows;
    this.schedule(tick, shard, rows);
  }

  /** @returns the number of rows written, by shard */
  write(tick: number): number[] {
    const due = this.at(tick);
    return due.map((rows, shard) => {
      const written = rows === 0 ? 0 : this.index.write(this.statuses, shard, rows);
      due[shard] = 0;
      if (written < rows) {
        this.backOff(tick, shard, rows - written);
      }
      this.pending -= written;
      return written;
    });
  }

  /** Spreads throttled writes over the next ticks: evenly, and the remainder at random. */
  private backOff(tick: number, shard: number, refused: number): void {
    const each = Math.floor(refused / MAX_BACK_OFF_TICKS);
    for (let later = 1; later <= MAX_BACK_OFF_TICKS; later += 1) {
      this.schedule(tick + later, shard, each);
    }
    for (let left = refused % MAX_BACK_OFF_TICKS; left > 0; left -= 1) {
      this.schedule(tick + 1 + Math.floor(this.random() * MAX_BACK_OFF_TICKS), shard, 1);
    }
  }

  private at(tick: number): number[] {
    return this.due[tick % this.due.length] ?? [];
  }

  private schedule(tick: number, shard: number, rows: number): void {
    const due = this.at(tick);
    due[shard] = (due[shard] ?? 0) + rows;
  }
}
