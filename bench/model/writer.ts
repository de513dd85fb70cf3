import type { IndexCapacity, Status } from "./indexCapacity";

/** A refused write comes again after one to so many ticks, at random. */
const MAX_BACK_OFF_TICKS = 4;

/** Writes of one kind and one stream shard, by the index shard of their rows. */
export class Writer {
  /** Writes that are to be done, those in a back-off included. */
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

  /** @returns how many rows were written, by shard */
  write(tick: number): number[] {
    const due = this.at(tick);
    return due.map((rows, shard) => {
      const written = rows === 0 ? 0 : this.index.write(this.statuses, shard, rows);
      due[shard] = 0;
      this.backOff(tick, shard, rows - written);
      this.pending -= written;
      return written;
    });
  }

  /** Spreads refused writes over the ticks to come: evenly, and what is left of them at random. */
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
