import type { OnBytes } from "./localFile";

/** Gets the progress of one file. */
export interface FileProgress {
  /**
   * A phase begins; `reading` and `sending` advance to `totalBytes`.
   *
   * @param doneBytes that are there from the start @default 0
   */
  phase(
    name: "reading" | "sending" | "finishing" | "waiting",
    totalBytes: number,
    doneBytes?: number,
  ): void;
  /** Negative for bytes that have to be sent again. */
  advance: OnBytes;
  /** Tells what is not a result. */
  notice(text: string): void;
}
