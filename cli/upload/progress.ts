import * as path from "node:path";
import { MultiBar, Presets } from "cli-progress";
import { plainText } from "./plainText";
import type { FileProgress } from "./upload";
import { bytesInWords } from "./wording";

/** Shows how far several files are. */
export interface Progress {
  /** @returns the file's own, and how to end it */
  begin(file: string): { progress: FileProgress; end: () => void };
  /** Writes a line of the result, past what moves. */
  line(text: string): void;
  stop(): void;
}

const FORMAT = "{bar} {percentage}% {phase} {done} of {size}  {file}";

/** Nothing that moves. */
export function noProgress(write: (line: string) => void): Progress {
  const ignore = () => undefined;
  return {
    begin: () => ({ progress: { phase: ignore, advance: ignore }, end: ignore }),
    line: write,
    stop: ignore,
  };
}

/**
 * A bar for each file under way, on standard error.
 *
 * @param write where result lines go if not to the terminal as well
 */
export function barProgress(write?: (line: string) => void): Progress {
  const bars = new MultiBar(
    {
      format: FORMAT,
      barsize: 24,
      clearOnComplete: true,
      // The terminal stays as it is: there is nothing to restore when Ctrl-C ends everything.
      hideCursor: null,
      linewrap: null,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  return {
    begin: (file) => {
      const name = plainText(path.basename(file));
      const bar = bars.create(0, 0, { file: name, phase: "", done: "0 B", size: "" });
      let done = 0;
      return {
        progress: {
          phase: (phase, totalBytes) => {
            done = phase === "waiting" ? totalBytes : 0;
            bar.setTotal(totalBytes);
            bar.update(done, { phase, done: bytesInWords(done), size: bytesInWords(totalBytes) });
          },
          advance: (bytes) => {
            done += bytes;
            bar.update(done, { done: bytesInWords(done) });
          },
        },
        end: () => {
          bars.remove(bar);
        },
      };
    },
    line:
      write ??
      ((text) => {
        bars.log(`${text}\n`);
      }),
    stop: () => {
      // Lines are written with the next update only.
      bars.update();
      bars.stop();
    },
  };
}
