import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { isDiskFull } from "../storage/diskFull";

/** An asynchronous invocation that was accepted and is unfinished. */
export interface QueuedEvent {
  requestId: string;
  functionName: string;
  /** JSON text. */
  payload: string;
  /** Epoch milliseconds. */
  acceptedAt: number;
  /** How often the function has run for it. */
  attempts: number;
  /** How often in a row the service itself refused to run it. */
  refusals: number;
  /** Epoch milliseconds before which it is not retried. */
  notBefore: number;
  /** Milliseconds of AWS's delays that the delay scale saved; they count as age. */
  savedMs: number;
  /** The last attempt's answer, JSON text. */
  response?: string;
}

/** Keeps events beyond the end of this process. */
export interface EventJournal {
  /** The events that an earlier process accepted and did not finish, in that order. */
  restored: QueuedEvent[];
  /**
   * Returns when the event in its current state would survive the process. While the disk is full
   * it returns, too: the event then is in this process alone until the next call for it.
   */
  save(event: QueuedEvent): void;
  done(requestId: string): void;
}

type Line = { saved: QueuedEvent } | { done: string };

/** Finished events are forgotten when nothing is open and the file has grown past this, in bytes. */
const COMPACT_BYTES = 1_000_000;

/**
 * A journal in a file of JSON lines. Its events survive the end of the process, not that of the
 * machine: nothing is flushed to the disk.
 *
 * @param onError called for each unreadable line, which is skipped
 */
export function openEventJournal(folder: string, onError: (error: Error) => void): EventJournal {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "events.jsonl");
  const open = load(file, onError);
  let size = compact(file, open) ?? sizeOf(file);

  function append(line: Line): void {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    try {
      appendFileSync(file, bytes);
      size += bytes.length;
    } catch (error) {
      if (!isDiskFull(error)) {
        throw error;
      }
      removeTorn(file, size);
    }
  }

  return {
    restored: [...open.values()],
    save(event) {
      append({ saved: event });
      open.set(event.requestId, event);
    },
    done(requestId) {
      append({ done: requestId });
      open.delete(requestId);
      if (open.size === 0 && size > COMPACT_BYTES) {
        size = compact(file, open) ?? size;
      }
    },
  };
}

/** The next line must not stand behind part of the one that failed. */
function removeTorn(file: string, size: number): void {
  try {
    truncateSync(file, size);
  } catch {
    // Then the next start reports one line that it cannot read.
  }
}

function load(file: string, onError: (error: Error) => void): Map<string, QueuedEvent> {
  const open = new Map<string, QueuedEvent>();
  const lines = readIfThere(file).split("\n");
  const torn = lines.pop() ?? "";
  lines.forEach((text, index) => {
    try {
      const line = JSON.parse(text) as Line;
      if ("done" in line) {
        open.delete(line.done);
      } else {
        open.set(line.saved.requestId, line.saved);
      }
    } catch (error) {
      onError(new Error(`${file}:${index + 1}: unparsable record skipped.`, { cause: error }));
    }
  });
  if (torn !== "") {
    onError(
      new Error(
        `${file}: incomplete last line skipped. The process ended while it wrote; a new event ` +
          "in that line was never confirmed to its sender.",
      ),
    );
  }
  return open;
}

/**
 * Rewrites the file with the open events only, in one step.
 *
 * @returns its size; undefined if the disk is full, and the file as before
 */
function compact(file: string, open: Map<string, QueuedEvent>): number | undefined {
  const lines = [...open.values()].map((event) => `${JSON.stringify({ saved: event })}\n`);
  const bytes = Buffer.from(lines.join(""));
  try {
    writeFileSync(`${file}.new`, bytes);
    renameSync(`${file}.new`, file);
    return bytes.length;
  } catch (error) {
    rmSync(`${file}.new`, { force: true });
    if (isDiskFull(error)) {
      return undefined;
    }
    throw error;
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return "";
    }
    throw error;
  }
}
