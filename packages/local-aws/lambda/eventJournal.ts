import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

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
  /** Returns when the event in its current state would survive the process. */
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
  let size = compact(file, open);

  function append(line: Line): void {
    const text = `${JSON.stringify(line)}\n`;
    appendFileSync(file, text);
    size += text.length;
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
        size = compact(file, open);
      }
    },
  };
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

/** Rewrites the file with the open events only, in one step; returns its size. */
function compact(file: string, open: Map<string, QueuedEvent>): number {
  const lines = [...open.values()].map((event) => `${JSON.stringify({ saved: event })}\n`);
  const text = lines.join("");
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
  return text.length;
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
