/** Writes lines together: under load a write of its own for each takes longer than making it. */
export interface LineWriter {
  /** Writes a line, at once or with the next ones. */
  line(text: string): void;
  /** Writes all lines that wait. */
  flush(): void;
}

/** Milliseconds between two writes. */
const INTERVAL_MS = 10;

/** Characters that are written without waiting for more. */
const MAX_WAITING = 65_536;

/** @param write gets one or more whole lines */
export function createLineWriter(write: (text: string) => void): LineWriter {
  let waiting = "";
  let isScheduled = false;
  let writtenAt = -Infinity;

  function flush(): void {
    if (waiting === "") {
      return;
    }
    const text = waiting;
    waiting = "";
    writtenAt = performance.now();
    write(text);
  }

  function onSchedule(): void {
    isScheduled = false;
    flush();
  }

  function schedule(): void {
    isScheduled = true;
    const waitMs = writtenAt + INTERVAL_MS - performance.now();
    if (waitMs <= 0) {
      setImmediate(onSchedule);
    } else {
      setTimeout(onSchedule, waitMs);
    }
  }

  return {
    line(text) {
      waiting += `${text}\n`;
      if (waiting.length >= MAX_WAITING) {
        flush();
      } else if (!isScheduled) {
        schedule();
      }
    },
    flush,
  };
}
