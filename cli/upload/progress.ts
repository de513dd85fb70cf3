import * as path from "node:path";
import { MultiBar, Presets } from "cli-progress";
import { plainText } from "../output/plainText";
import { formatBytes } from "../output/units";
import type { FileProgress } from "./uploadFile";

/** Shows the progress of several files. */
export interface Progress {
  /** Starts a file. @returns its progress, and a function to end it */
  begin(file: string): { progress: FileProgress; end: () => void };
  /** Prints a line of the result, above the bars. */
  line(text: string): void;
  stop(): void;
}

const FORMAT = "{bar} {percentage}% {phase} {done} of {size}  {file}";

/** Prints results only. */
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
 * @param write prints result lines. @default above the bars, on the terminal
 */
export function barProgress(write?: (line: string) => void): Progress {
  const bars = new MultiBar(
    {
      format: FORMAT,
      barsize: 24,
      clearOnComplete: true,
      // Without changes to the terminal, Ctrl-C has nothing to restore.
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
            bar.update(done, { phase, done: formatBytes(done), size: formatBytes(totalBytes) });
          },
          advance: (bytes) => {
            done += bytes;
            bar.update(done, { done: formatBytes(done) });
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
      // An update prints the pending lines.
      bars.update();
      bars.stop();
    },
  };
}
