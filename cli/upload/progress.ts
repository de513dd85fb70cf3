import * as path from "node:path";
import { MultiBar, Presets } from "cli-progress";
import { plainText } from "../output/plainText";
import { formatBytes, formatTimeLeft } from "../output/units";
import type { FileProgress } from "./fileProgress";
import { measureSpeed } from "./speed";

/** Shows the progress of several files. */
export interface Progress {
  /** Starts a file. @returns its progress, and a function to end it */
  begin(file: string): { progress: FileProgress; end: () => void };
  /** Prints a line of the result, above the bars. */
  line(text: string): void;
  stop(): void;
}

/** Prints results only. */
export function noProgress(
  write: (line: string) => void,
  notice: (text: string) => void = () => undefined,
): Progress {
  const ignore = () => undefined;
  return {
    begin: () => ({ progress: { phase: ignore, advance: ignore, notice }, end: ignore }),
    line: write,
    stop: ignore,
  };
}

/** Characters. */
const BAR_WIDTH = 24;

const NARROW_BAR_WIDTH = 10;

/** With less, the bar is shorter, and file names are cut off. */
const FULL_WIDTH = 100;

/** What the bar of one file shows. */
export interface BarState {
  file: string;
  phase: string;
  done: number;
  total: number;
  /** Bytes a second; undefined while none are sent or read. */
  speed?: () => number | undefined;
}

/** A line such as `████░░░░  42% sending 431.0 MB of 1.1 GB  23.4 MB/s  0:28 left  film.mp4`. */
export function barLine({ file, phase, done, total, ...state }: BarState, width: number): string {
  const speed = state.speed?.();
  const sizes = total === 0 ? "" : ` ${phase} ${formatBytes(done)} of ${formatBytes(total)}`;
  const share = total === 0 ? 0 : Math.min(1, Math.max(0, done / total));
  const size = width < FULL_WIDTH ? NARROW_BAR_WIDTH : BAR_WIDTH;
  const filled = Math.floor(share * size);
  const { barCompleteChar: full, barIncompleteChar: empty } = Presets.shades_classic;
  const bar = full.repeat(filled) + empty.repeat(size - filled);
  const left = speed ? formatTimeLeft((total - done) / speed) : "";
  const parts = [
    `${bar} ${String(Math.floor(share * 100)).padStart(3)}%${sizes}`,
    ...(speed === undefined ? [] : [`${formatBytes(Math.round(speed))}/s`]),
    ...(left === "" ? [] : [`${left} left`]),
    file,
  ];
  // A line that wraps would not be overwritten.
  return parts.join("  ").slice(0, Math.max(1, width - 1));
}

/**
 * A bar for each file under way, on standard error.
 *
 * @param write prints result lines. @default above the bars, on the terminal
 */
export function barProgress(write?: (line: string) => void): Progress {
  const bars = new MultiBar(
    {
      format: (_options, _params, payload: BarState) =>
        barLine(payload, process.stderr.columns || FULL_WIDTH),
      clearOnComplete: true,
      // Without changes to the terminal, Ctrl-C has nothing to restore.
      hideCursor: null,
      linewrap: true,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  const log = (text: string) => {
    bars.log(`${text}\n`);
  };
  return {
    begin: (file) => {
      const state: BarState = {
        file: plainText(path.basename(file)),
        phase: "",
        done: 0,
        total: 0,
      };
      const bar = bars.create(0, 0, state);
      let speed = measureSpeed();
      return {
        progress: {
          phase: (phase, total, done = 0) => {
            speed = measureSpeed();
            const advances = phase === "reading" || phase === "sending";
            Object.assign(state, {
              phase,
              total,
              done,
              speed: advances ? () => speed.current() : undefined,
            });
            bar.update(done);
          },
          advance: (bytes) => {
            speed.add(bytes);
            state.done += bytes;
            bar.update(state.done);
          },
          notice: (text) => {
            log(plainText(text));
          },
        },
        end: () => {
          bars.remove(bar);
        },
      };
    },
    line: write ?? log,
    stop: () => {
      // An update prints the pending lines.
      bars.update();
      bars.stop();
    },
  };
}
