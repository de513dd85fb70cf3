/** Milliseconds over which the speed is averaged. */
const WINDOW_MS = 5000;

/** Measures the speed of one transfer. */
export interface Speed {
  /** @param bytes that are sent by now */
  add(bytes: number): void;
  /** Forgets what was: after a pause. */
  restart(): void;
  /** Undefined: not known yet. */
  bytesPerSecond(): number | undefined;
}

export function createSpeed(now = () => performance.now()): Speed {
  let samples: { at: number; bytes: number }[] = [];
  return {
    add(bytes) {
      const at = now();
      samples = [...samples.filter((sample) => sample.at > at - WINDOW_MS), { at, bytes }];
    },
    restart() {
      samples = [];
    },
    bytesPerSecond() {
      const [first] = samples;
      const last = samples.at(-1);
      const seconds = ((last?.at ?? 0) - (first?.at ?? 0)) / 1000;
      // The first moments are the browser's own buffers.
      return first && last && seconds >= 0.5
        ? Math.max(0, last.bytes - first.bytes) / seconds
        : undefined;
    },
  };
}
