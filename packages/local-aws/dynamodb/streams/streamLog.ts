import { createHash, randomUUID } from "node:crypto";
import type { ChangeListener, ItemChange } from "../changeFeed";
import { type Item, itemBytes } from "../dynalite";
import type { StreamViewType } from "../engine";
import { openCheckpoints } from "./checkpoints";
import { openRecordFile } from "./recordFile";
import {
  entryOf,
  RETENTION_SECONDS,
  sequenceNumberOf,
  type StreamEntry,
  type StreamRecord,
} from "./streamRecord";
import { markUnwritten } from "./unwritten";

export interface StreamLogOptions {
  streamArn: string;
  region: string;
  streamViewType: StreamViewType;
  /** The name of the table's partition key: its value selects the shard. */
  partitionKey: string;
  /** A folder of its own that keeps records and checkpoints between runs; else in memory. */
  folder?: string;
  /** @default 1 */
  shardCount?: number;
}

/** The checkpoints of one event source mapping, one per shard reader (which reads a part of a shard). */
export interface StreamReader {
  /** The last position that each shard reader has finished. */
  readonly positions: readonly number[];
  /** Moves a shard reader's checkpoint and saves it. */
  advance(shardReader: number, position: number): void;
  /** Frees the place among the stream's readers; the checkpoint stays. */
  close(): void;
}

/** A table's stream. */
export interface StreamLog {
  readonly streamArn: string;
  readonly shardCount: number;
  /** Give this to the engine's `onChange`. @throws {Error} if the record cannot be kept */
  readonly append: ChangeListener;
  /**
   * Drops the records of an earlier run whose rows were not written. Call it before anything is read.
   * @param readRow gives a row by its key, undefined where there is none
   */
  check(readRow: (keys: Item) => Promise<Item | undefined>): Promise<void>;
  /** The position of the last record, readable or not. */
  readonly lastPosition: number;
  /** The next readable entry after a position. */
  entryAfter(position: number): StreamEntry | undefined;
  /** Resolves with a readable entry after `position`, at the timeout, or when `signal` aborts. */
  waitAfter(position: number, signal: AbortSignal, milliseconds?: number): Promise<void>;
  /** A number that is the same for all records of one partition key. */
  hashOf(record: StreamRecord): number;
  /**
   * Registers an event source mapping.
   * @param id names the checkpoint, from run to run
   * @param readerCount how many checkpoints the mapping keeps
   * @throws {Error} if the stream has two readers already
   */
  openReader(
    id: string,
    startingPosition: "TRIM_HORIZON" | "LATEST",
    readerCount: number,
  ): StreamReader;
  /** Appending to a closed log fails. */
  close(): void;
}

/** More than two readers of a shard are throttled on AWS: "Reading and processing a stream". */
const MAXIMUM_READERS = 2;
/** The log file is rewritten when at least this much of it is obsolete. */
const COMPACT_BYTES = 1024 * 1024;

/**
 * Opens a table's stream. With a folder, a record is in the log file before its row is written: a
 * process that is killed between the two leaves a record of a change that did not happen, which `check`
 * finds at the next start, but never a change without its record.
 *
 * @throws {Error} if the folder's files cannot be read
 */
export function createStreamLog(options: StreamLogOptions): StreamLog {
  const { streamArn, region, streamViewType, partitionKey, folder, shardCount = 1 } = options;
  const checkpoints = openCheckpoints(folder);
  const file = openRecordFile(folder);
  const waiting = new Set<() => void>();
  /** Without gaps, so that a position is an index. */
  let entries = file?.entries ?? [];
  let last = Math.max(0, entries.at(-1)?.position ?? 0, ...checkpoints.positions());
  /** Everything up to here can be read: no earlier record still waits for its row. */
  let readable = last;
  trim(true);

  function firstPosition(): number {
    return entries[0]?.position ?? last + 1;
  }

  function recordOf(change: ItemChange, position: number): StreamRecord {
    const { eventName, keys, newImage, oldImage } = change;
    const has = (view: StreamViewType): boolean =>
      streamViewType === view || streamViewType === "NEW_AND_OLD_IMAGES";
    const images = {
      ...(newImage && has("NEW_IMAGE") && { NewImage: newImage }),
      ...(oldImage && has("OLD_IMAGE") && { OldImage: oldImage }),
    };
    return {
      eventID: randomUUID().replaceAll("-", ""),
      eventName,
      eventVersion: "1.1",
      eventSource: "aws:dynamodb",
      awsRegion: region,
      eventSourceARN: streamArn,
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(Date.now() / 1000),
        Keys: keys,
        ...images,
        SequenceNumber: sequenceNumberOf(position),
        SizeBytes: [keys, ...Object.values(images)].reduce((sum, item) => sum + itemBytes(item), 0),
        StreamViewType: streamViewType,
      },
    };
  }

  function settle(): void {
    const before = readable;
    for (;;) {
      const next = entries[readable + 1 - firstPosition()];
      if (next?.written === undefined) {
        break;
      }
      readable = next.position;
    }
    if (readable === before) {
      return;
    }
    [...waiting].forEach((wake) => {
      wake();
    });
    trim();
  }

  /**
   * Removes the records that every mapping has passed. A checkpoint that no mapping has opened (of
   * a mapping in an earlier run) holds records back as long as DynamoDB would keep them.
   */
  function trim(atStart = false): void {
    const all = checkpoints.positions();
    const open = checkpoints.openPositions();
    const lowest = (positions: number[]): number => Math.min(readable, ...positions);

    let count = all.length > 0 ? Math.max(0, lowest(all) + 1 - firstPosition()) : 0;
    if (open.length > 0 || all.length === 0) {
      const passed = lowest(open);
      const expired = Date.now() / 1000 - RETENTION_SECONDS;
      for (;;) {
        const entry = entries[count];
        if (!entry || entry.position > passed) {
          break;
        }
        if (entry.record.dynamodb.ApproximateCreationDateTime > expired) {
          break;
        }
        count += 1;
      }
    }
    // Half of the array at a time: each record is moved once or twice, however many there are.
    if (count === 0 || (!atStart && count * 2 < entries.length)) {
      return;
    }
    entries = entries.slice(count);
    file?.compact(entries, atStart ? 1 : COMPACT_BYTES);
  }

  return {
    streamArn,
    shardCount,

    append(change) {
      const entry = entryOf(recordOf(change, last + 1));
      file?.append(entry);
      last = entry.position;
      entries.push(entry);
      return (written) => {
        entry.written = written;
        settle();
      };
    },

    async check(readRow) {
      // Other views do not tell; there, a consumer gets a record of a change that did not happen.
      if (streamViewType === "NEW_AND_OLD_IMAGES") {
        await markUnwritten(entries, readRow);
      }
    },

    get lastPosition() {
      return last;
    },

    entryAfter(position) {
      const entry = entries[Math.max(0, position + 1 - firstPosition())];
      return entry && entry.position <= readable ? entry : undefined;
    },

    async waitAfter(position, signal, milliseconds) {
      if (signal.aborted || readable > position) {
        return;
      }
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          waiting.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = milliseconds === undefined ? undefined : setTimeout(done, milliseconds);
        waiting.add(done);
        signal.addEventListener("abort", done);
      });
    },

    hashOf(record) {
      const value = JSON.stringify(record.dynamodb.Keys[partitionKey] ?? null);
      return createHash("md5").update(value).digest().readUInt32BE();
    },

    openReader(id, startingPosition, readerCount) {
      const readers = checkpoints.openIds();
      if (readers.includes(id)) {
        throw new Error(`The event source mapping "${id}" reads ${streamArn} already.`);
      }
      if (readers.length >= MAXIMUM_READERS) {
        throw new Error(
          `The event source mapping "${id}" would be the third reader of ${streamArn}, after ` +
            `${readers.join(" and ")}: more than two are throttled on AWS. Let one Lambda do the ` +
            "work of two, or fan out from one of them, for example through SNS.",
        );
      }
      const start = startingPosition === "LATEST" ? last : firstPosition() - 1;
      const checkpoint = checkpoints.open(id, start, readerCount);
      return {
        positions: checkpoint.positions,
        advance: (shardReader, position) => {
          if (position === checkpoint.positions[shardReader]) {
            return;
          }
          checkpoint.move(shardReader, position);
          trim();
        },
        close: () => {
          checkpoint.close();
        },
      };
    },

    close() {
      file?.close();
    },
  };
}
