/** How far a run is. */
export interface Progress {
  phase: string;
  /** Files to upload, and those sent. */
  uploads: number;
  sent: number;
  /** Events that are finished. */
  settled: number;
  /** What a run that waits still has to do, in words. */
  left?: string;
}

/** Where progress is shown. */
interface Output {
  isTTY?: boolean;
  write(text: string): unknown;
}

const REDRAW_MS = 250;
const LINE_MS = 10_000;
const BAR_WIDTH = 20;

/** The period that a rate is taken from. */
const RATE_MS = 60_000;

/** Events that settle per second, over the last minute. */
export class Rate {
  private readonly samples: { at: number; settled: number }[] = [];

  /** @param at milliseconds, monotonic */
  add(settled: number, at: number): void {
    this.samples.push({ at, settled });
    while (this.samples.length > 2 && (this.samples[1]?.at ?? at) <= at - RATE_MS) {
      this.samples.shift();
    }
  }

  get perSecond(): number {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    const milliseconds = (last?.at ?? 0) - (first?.at ?? 0);
    return milliseconds > 0
      ? ((last?.settled ?? 0) - (first?.settled ?? 0)) / (milliseconds / 1000)
      : 0;
  }
}

/** A line that says how far a run is. Memory is that of this process. */
export function progressLine(
  { phase, uploads, sent, settled, left }: Progress,
  rate: number,
): string {
  const filled = Math.min(BAR_WIDTH, Math.floor((BAR_WIDTH * settled) / uploads));
  const bar = "#".repeat(filled).padEnd(BAR_WIDTH, ".");
  const megabytes = Math.round(process.memoryUsage.rss() / 1e6);
  return (
    `[${bar}] ${phase}: ${sent} of ${uploads} uploads sent, ${settled} events settled, ` +
    `${rate.toFixed(1)}/s, ${megabytes} MB` +
    (left ? `; left: ${left}` : "")
  );
}

/**
 * Shows progress: on a terminal in one line that is drawn anew, otherwise as a line now and then.
 *
 * @returns ends it
 */
export function showProgress(
  read: () => Progress,
  rate: Pick<Rate, "perSecond">,
  output: Output,
): () => void {
  const { isTTY = false } = output;
  const draw = (): void => {
    const line = progressLine(read(), rate.perSecond);
    output.write(isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  };
  const timer = setInterval(draw, isTTY ? REDRAW_MS : LINE_MS);
  return () => {
    clearInterval(timer);
    if (isTTY) {
      output.write("\r\u001b[K");
    }
  };
}
