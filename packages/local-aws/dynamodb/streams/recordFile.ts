import fs from "node:fs";
import { join } from "node:path";
import { isDiskFull } from "../../storage/diskFull";
import { entryOf, type StreamEntry, type StreamRecord } from "./streamRecord";

/** A stream's records, as lines of JSON in a file. */
export interface RecordFile {
  /** The records in the file when it was opened. */
  readonly entries: StreamEntry[];
  /** @throws {Error} if the record cannot be written; the file is then as before */
  append(entry: StreamEntry): void;
  /**
   * Rewrites the file with these entries only, if that saves at least `worthwhileBytes` and the disk
   * is not full.
   */
  compact(entries: readonly StreamEntry[], worthwhileBytes: number): void;
  close(): void;
}

/**
 * Opens the records of a stream.
 *
 * @param folder undefined: records are in memory only, and there is no file
 * @throws {Error} if the file holds something else
 */
export function openRecordFile(folder: string | undefined): RecordFile | undefined {
  if (folder === undefined) {
    return undefined;
  }
  fs.mkdirSync(folder, { recursive: true });
  const path = join(folder, "records.jsonl");
  fs.rmSync(`${path}.tmp`, { force: true });
  const text = fs.existsSync(path) ? fs.readFileSync(path, "utf8") : "";
  // A process that is killed in the middle of a write leaves a torn last line: its row was not
  // written yet, and the next record must begin on a line of its own.
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const entries = whole
    .split("\n")
    .slice(0, -1)
    .map((line, index) => parse(path, line, index));
  let size = Buffer.byteLength(whole);
  let descriptor = fs.openSync(path, "a");
  fs.ftruncateSync(descriptor, size);

  return {
    entries,
    append(entry) {
      try {
        fs.appendFileSync(descriptor, `${JSON.stringify(entry.record)}\n`);
      } catch (error) {
        fs.ftruncateSync(descriptor, size);
        throw error;
      }
      size += entry.bytes + 1;
    },
    compact(kept, worthwhileBytes) {
      const keptSize = kept.reduce((sum, { bytes }) => sum + bytes + 1, 0);
      if (size - keptSize < worthwhileBytes) {
        return;
      }
      const lines = kept.map(({ record }) => `${JSON.stringify(record)}\n`);
      try {
        fs.writeFileSync(`${path}.tmp`, lines.join(""));
      } catch (error) {
        fs.rmSync(`${path}.tmp`, { force: true });
        if (isDiskFull(error)) {
          return;
        }
        throw error;
      }
      // Closed first: Windows does not rename over an open file.
      fs.closeSync(descriptor);
      fs.renameSync(`${path}.tmp`, path);
      descriptor = fs.openSync(path, "a");
      size = keptSize;
    },
    close() {
      fs.closeSync(descriptor);
    },
  };
}

function parse(path: string, line: string, index: number): StreamEntry {
  try {
    return { ...entryOf(JSON.parse(line) as StreamRecord), written: true };
  } catch (error) {
    throw new Error(
      `Line ${index + 1} of the stream log ${path} is not a stream record. ` +
        "Start with another data folder, or delete this one.",
      { cause: error },
    );
  }
}
