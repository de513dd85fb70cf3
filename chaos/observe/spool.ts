import { closeSync, openSync, readSync, writeSync } from "node:fs";

/**
 * Bytes that are read at a time: their text fits V8's young generation, where it goes as soon as it has been
 * read. A text of over 128 kB stays until the next full collection.
 */
const CHUNK_BYTES = 1 << 15;

/** Characters that are kept in memory before they are written. */
const BUFFERED = 1 << 15;

const LINE_FEED = 0x0a;

/** A list in a file, one line of JSON for each value, so that its length costs no memory. */
export class Spool<T> implements Iterable<T> {
  length = 0;
  private buffered = "";
  private readonly file: number;

  /** @param path is overwritten */
  constructor(path: string) {
    this.file = openSync(path, "w+");
  }

  push(value: T): void {
    this.buffered += `${JSON.stringify(value)}\n`;
    this.length += 1;
    if (this.buffered.length > BUFFERED) {
      this.flush();
    }
  }

  /** The values in order; those that are pushed meanwhile may be among them. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    this.flush();
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let rest = Buffer.alloc(0);
    let position = 0;
    for (;;) {
      const length = readSync(this.file, chunk, 0, CHUNK_BYTES, position);
      if (length === 0) {
        return;
      }
      position += length;
      const bytes = Buffer.concat([rest, chunk.subarray(0, length)]);
      const end = bytes.lastIndexOf(LINE_FEED) + 1;
      rest = bytes.subarray(end);
      for (const line of bytes.toString("utf8", 0, end).split("\n")) {
        if (line !== "") {
          yield JSON.parse(line) as T;
        }
      }
    }
  }

  close(): void {
    closeSync(this.file);
  }

  private flush(): void {
    // Without a position it is written at the file's own, which reads at a position do not move.
    writeSync(this.file, this.buffered);
    this.buffered = "";
  }
}
