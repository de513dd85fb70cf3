import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";

export interface Journal {
  /**
   * Adds a record. It survives `kill -9` once this returns, a power cut perhaps not: it is in the
   * system's page cache.
   * @throws what the file system throws; the journal is then as before
   */
  append(record: unknown): void;
  /** Replaces all records at once: after a crash, either the old or the new ones are there. */
  rewrite(records: Iterable<unknown>): void;
  close(): void;
}

const NEWLINE = 10;
/** Bytes; one write of the journal's replacement. */
const BATCH_SIZE = 1 << 20;

/**
 * Opens a file of records, each a line of JSON, and reads it.
 * @param onRecord gets each record, oldest first. A last line without its end is the trace of a
 *   crash: it is cut off.
 * @throws Error for any other line that is no JSON
 */
export function openJournal(path: string, onRecord: (record: unknown) => void): Journal {
  const replacement = `${path}.new`;
  rmSync(replacement, { force: true });
  let length = existsSync(path) ? readRecords(path, onRecord) : 0;
  let file = openSync(path, length > 0 ? "r+" : "w+", 0o600);
  ftruncateSync(file, length);

  return {
    append(record) {
      const line = Buffer.from(`${JSON.stringify(record)}\n`);
      try {
        writeAll(file, line, length);
      } catch (error) {
        // Otherwise part of this line stands before the next one.
        ftruncateSync(file, length);
        throw error;
      }
      length += line.length;
    },
    rewrite(records) {
      const next = openSync(replacement, "w+", 0o600);
      let written = 0;
      const write = (lines: string) => {
        const bytes = Buffer.from(lines);
        writeAll(next, bytes, written);
        written += bytes.length;
      };
      try {
        let lines = "";
        for (const record of records) {
          lines += `${JSON.stringify(record)}\n`;
          if (lines.length >= BATCH_SIZE) {
            write(lines);
            lines = "";
          }
        }
        write(lines);
        renameSync(replacement, path);
      } catch (error) {
        closeSync(next);
        rmSync(replacement, { force: true });
        throw error;
      }
      closeSync(file);
      file = next;
      length = written;
    },
    close() {
      closeSync(file);
    },
  };
}

/** @returns the bytes that whole lines take */
function readRecords(path: string, onRecord: (record: unknown) => void): number {
  const content = readFileSync(path);
  let start = 0;
  for (let line = 1; ; line++) {
    const end = content.indexOf(NEWLINE, start);
    if (end < 0) {
      return start;
    }
    onRecord(parse(content.toString("utf8", start, end), `${path}:${line}`));
    start = end + 1;
  }
}

function parse(line: string, place: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (error) {
    throw new Error(`${place} is damaged. Restore the folder from a copy, or choose another.`, {
      cause: error,
    });
  }
}

function writeAll(file: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
  }
}
