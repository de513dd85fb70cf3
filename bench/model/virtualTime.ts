import { setImmediate } from "node:timers/promises";

/** Time that passes only when nothing is left to do at its present moment. */
export class VirtualTime {
  /** Milliseconds since 1970. */
  now = Date.UTC(2026, 0, 1);
  private readonly waiting = new Map<() => void, number>();

  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.set(resolve, this.now + milliseconds);
    });
  }

  /**
   * Runs what waits by `wait` only. Meanwhile `Date.now` tells this time.
   *
   * @throws what `work` throws, or when it waits for something else
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const realNow = Date.now;
    Date.now = () => this.now;
    try {
      const state = { isOver: false };
      const end = () => {
        state.isOver = true;
      };
      const result = work();
      result.then(end, end);
      for (;;) {
        await setImmediate();
        if (state.isOver) {
          return await result;
        }
        this.pass();
      }
    } finally {
      Date.now = realNow;
    }
  }

  /** To the next moment at which something is to be done. */
  private pass(): void {
    const [next] = [...this.waiting].reduce<[(() => void) | undefined, number]>(
      (earliest, each) => (each[1] < earliest[1] ? each : earliest),
      [undefined, Infinity],
    );
    if (next === undefined) {
      throw new Error("The simulation waits for something without a time.");
    }
    this.now = Math.max(this.now, this.waiting.get(next) ?? 0);
    this.waiting.delete(next);
    next();
  }
}
