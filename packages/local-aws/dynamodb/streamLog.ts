import { createHash, randomUUID } from "node:crypto";
import fs from "node:fs";
import { join } from "node:path";
import type { ChangeListener, ItemChange } from "./changeFeed";
import { type Item, itemBytes } from "./dynalite";
import type { StreamViewType } from "./engine";

/** A stream record, as Lambda gets it. */
export interface StreamRecord {
  eventID: string;
  eventName: ItemChange["eventName"];
  eventVersion: "1.1";
  eventSource: "aws:dynamodb";
  awsRegion: string;
  eventSourceARN: string;
  dynamodb: {
    /** Seconds since 1970, whole. */
    ApproximateCreationDateTime: number;
    Keys: Item;
    NewImage?: Item;
    OldImage?: Item;
    /** 21 digits, always growing. */
    SequenceNumber: string;
    SizeBytes: number;
    StreamViewType: StreamViewType;
  };
}

/** A record at its place in the log. */
export interface StreamEntry {
  /** 1 for the log's first record, then 2, 3, … */
  position: number;
  record: StreamRecord;
  /** The record's size as JSON, in bytes. */
  bytes: number;
  /** `undefined` while the row is being written; `false` if that failed: nothing happened. */
  written?: boolean;
}

export interface StreamLogOptions {
  streamArn: string;
  region: string;
  streamViewType: StreamViewType;
  /** The name of the table's partition key: its value decides on the shard. */
  partitionKey: string;
  /** A folder of its own that keeps records and checkpoints between runs; else in memory. */
  folder?: string;
  /** @default 1 */
  shardCount?: number;
}

/** How far one event source mapping has come, per lane (a lane is a part of a shard). */
export interface StreamReader {
  /** The last position that each lane is done with. */
  readonly positions: readonly number[];
  /** Moves a lane's checkpoint and keeps it. */
  advance(lane: number, position: number): void;
  /** Frees the place among the stream's readers; the checkpoint stays. */
  close(): void;
}

interface Checkpoint {
  positions: number[];
  open: boolean;
}

/** More than two readers of a shard are throttled on AWS: "Reading and processing a stream". */
const MAXIMUM_READERS = 2;
/** How long DynamoDB keeps a stream's records. */
export const RETENTION_SECONDS = 24 * 60 * 60;
/** The log file is written anew when at least this much of it is of no use any more. */
const COMPACT_BYTES = 1024 * 1024;

/**
 * A table's stream. With a folder, a record is in the log file before its row is written: a process
 * that is killed between the two leaves a record of a change that did not happen, which a consumer
 * with conditional writes can bear, but never a change without its record.
 */
export class StreamLog {
  readonly streamArn: string;
  readonly shardCount: number;
  readonly #options: StreamLogOptions;
  readonly #checkpoints = new Map<string, Checkpoint>();
  readonly #waiting = new Set<() => void>();
  readonly #file?: RecordFile;
  /** Without gaps, so that a position is an index. */
  #entries: StreamEntry[];
  #last: number;
  /** Everything up to here can be read: no earlier record is still waiting for its row. */
  #readable: number;

  /** @throws {Error} if the folder's files cannot be read */
  constructor(options: StreamLogOptions) {
    this.#options = options;
    this.streamArn = options.streamArn;
    this.shardCount = options.shardCount ?? 1;
    if (options.folder) {
      fs.mkdirSync(options.folder, { recursive: true });
      this.#file = new RecordFile(join(options.folder, "records.jsonl"));
      this.#checkpoints = readCheckpoints(options.folder);
    }
    this.#entries = this.#file?.entries ?? [];
    const known = [...this.#checkpoints.values()].flatMap(({ positions }) => positions);
    this.#last = Math.max(0, this.#entries.at(-1)?.position ?? 0, ...known);
    this.#readable = this.#last;
    this.#trim(true);
  }

  /** Give this to the engine's `onChange`. @throws {Error} if the record cannot be kept */
  readonly append: ChangeListener = (change) => {
    const entry = entryOf(this.#recordOf(change, this.#last + 1));
    this.#file?.append(entry);
    this.#last = entry.position;
    this.#entries.push(entry);
    return (written) => {
      entry.written = written;
      this.#settle();
    };
  };

  /** The position of the last record, readable or not. */
  get lastPosition(): number {
    return this.#last;
  }

  /** The next readable entry after a position. */
  entryAfter(position: number): StreamEntry | undefined {
    const entry = this.#entries[Math.max(0, position + 1 - this.#firstPosition)];
    return entry && entry.position <= this.#readable ? entry : undefined;
  }

  /** Resolves when there is a readable entry after `position`, the time is over or `signal` aborts. */
  async waitAfter(position: number, signal: AbortSignal, milliseconds?: number): Promise<void> {
    if (signal.aborted || this.#readable > position) {
      return;
    }
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = milliseconds === undefined ? undefined : setTimeout(done, milliseconds);
      this.#waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }

  /** A number that is the same for all records of one partition key. */
  hashOf(record: StreamRecord): number {
    const value = JSON.stringify(record.dynamodb.Keys[this.#options.partitionKey] ?? null);
    return createHash("md5").update(value).digest().readUInt32BE();
  }

  /**
   * Registers an event source mapping.
   * @param id names the checkpoint, from run to run
   * @param lanes how many checkpoints the mapping keeps
   * @throws {Error} if the stream has two readers already
   */
  openReader(id: string, startingPosition: "TRIM_HORIZON" | "LATEST", lanes: number): StreamReader {
    const known = this.#checkpoints.get(id);
    if (known?.open) {
      throw new Error(`The event source mapping "${id}" reads ${this.streamArn} already.`);
    }
    const readers = [...this.#checkpoints].filter(([, { open }]) => open).map(([name]) => name);
    if (readers.length >= MAXIMUM_READERS) {
      throw new Error(
        `The event source mapping "${id}" would be the third reader of ${this.streamArn}, after ` +
          `${readers.join(" and ")}: more than two are throttled on AWS. Let one Lambda do the ` +
          "work of two, or fan out from one of them, for example through SNS.",
      );
    }
    const start = startingPosition === "LATEST" ? this.#last : this.#firstPosition - 1;
    let positions = known?.positions ?? [start];
    // Another number of lanes: going on from the hindmost repeats records, but loses none.
    if (positions.length !== lanes) {
      positions = Array<number>(lanes).fill(Math.min(...positions));
    }
    const checkpoint = { positions, open: true };
    this.#checkpoints.set(id, checkpoint);
    this.#saveCheckpoint(id, positions);
    return {
      positions,
      advance: (lane, position) => {
        if (position === positions[lane]) {
          return;
        }
        positions[lane] = position;
        this.#saveCheckpoint(id, positions);
        this.#trim();
      },
      close: () => {
        checkpoint.open = false;
      },
    };
  }

  /** Appending to a closed log fails. */
  close(): void {
    this.#file?.close();
  }

  get #firstPosition(): number {
    return this.#entries[0]?.position ?? this.#last + 1;
  }

  #recordOf(change: ItemChange, position: number): StreamRecord {
    const { keys, newImage, oldImage } = change;
    const view = this.#options.streamViewType;
    const images = {
      ...(newImage &&
        (view === "NEW_IMAGE" || view === "NEW_AND_OLD_IMAGES") && { NewImage: newImage }),
      ...(oldImage &&
        (view === "OLD_IMAGE" || view === "NEW_AND_OLD_IMAGES") && { OldImage: oldImage }),
    };
    return {
      eventID: randomUUID().replaceAll("-", ""),
      eventName: change.eventName,
      eventVersion: "1.1",
      eventSource: "aws:dynamodb",
      awsRegion: this.#options.region,
      eventSourceARN: this.streamArn,
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(Date.now() / 1000),
        Keys: keys,
        ...images,
        SequenceNumber: sequenceNumberOf(position),
        SizeBytes: [keys, ...Object.values(images)].reduce((sum, item) => sum + itemBytes(item), 0),
        StreamViewType: view,
      },
    };
  }

  #settle(): void {
    const before = this.#readable;
    for (;;) {
      const next = this.#entries[this.#readable + 1 - this.#firstPosition];
      if (next?.written === undefined) {
        break;
      }
      this.#readable = next.position;
    }
    if (this.#readable === before) {
      return;
    }
    [...this.#waiting].forEach((wake) => {
      wake();
    });
    this.#trim();
  }

  /**
   * Forgets what every mapping has passed. A checkpoint that nobody has opened (a mapping that was
   * there in a former run) holds records back as long as DynamoDB would keep them.
   */
  #trim(atStart = false): void {
    const all = [...this.#checkpoints.values()];
    const open = all.filter((checkpoint) => checkpoint.open);
    const lowest = (checkpoints: Checkpoint[]): number =>
      Math.min(this.#readable, ...checkpoints.flatMap(({ positions }) => positions));

    let count = all.length > 0 ? Math.max(0, lowest(all) + 1 - this.#firstPosition) : 0;
    if (open.length > 0 || all.length === 0) {
      const passed = lowest(open);
      const expired = Date.now() / 1000 - RETENTION_SECONDS;
      for (;;) {
        const entry = this.#entries[count];
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
    if (count === 0 || (!atStart && count * 2 < this.#entries.length)) {
      return;
    }
    this.#entries = this.#entries.slice(count);
    this.#file?.compact(this.#entries, atStart ? 1 : COMPACT_BYTES);
  }

  #saveCheckpoint(id: string, positions: readonly number[]): void {
    if (!this.#options.folder) {
      return;
    }
    // A rename, because a process may be killed between emptying a file and filling it.
    const file = join(this.#options.folder, `checkpoint-${encodeURIComponent(id)}.json`);
    fs.writeFileSync(`${file}.tmp`, JSON.stringify(positions));
    fs.renameSync(`${file}.tmp`, file);
  }
}

/** The log's place of a record. */
export function positionOf(record: StreamRecord): number {
  return Number(record.dynamodb.SequenceNumber.slice(1));
}

/** The leading 1 gives all numbers one length, so that their order as text is their order. */
function sequenceNumberOf(position: number): string {
  return `1${String(position).padStart(20, "0")}`;
}

function entryOf(record: StreamRecord): StreamEntry {
  const bytes = Buffer.byteLength(JSON.stringify(record));
  return { position: positionOf(record), record, bytes };
}

function readCheckpoints(folder: string): Map<string, Checkpoint> {
  const checkpoints = new Map<string, Checkpoint>();
  for (const name of fs.readdirSync(folder)) {
    const id = /^checkpoint-(.*)\.json$/.exec(name)?.[1];
    if (id === undefined) {
      continue;
    }
    const positions = readPositions(join(folder, name));
    checkpoints.set(decodeURIComponent(id), { positions, open: false });
  }
  return checkpoints;
}

function readPositions(file: string): number[] {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as number[];
  } catch (error) {
    throw new Error(
      `The checkpoint ${file} cannot be read. Delete it, and its mapping starts anew with the ` +
        "oldest record that is still there; or start with another data folder.",
      { cause: error },
    );
  }
}

/** The records as lines of JSON. */
class RecordFile {
  /** What the file held when it was opened. */
  readonly entries: StreamEntry[];
  readonly #path: string;
  #descriptor: number;
  #bytes: number;

  constructor(path: string) {
    this.#path = path;
    const text = fs.existsSync(path) ? fs.readFileSync(path, "utf8") : "";
    // A process that is killed in the middle of a write leaves a torn last line: its row was not
    // written yet, and the next record must begin on a line of its own.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    this.entries = whole
      .split("\n")
      .slice(0, -1)
      .map((line, index) => this.#parse(line, index));
    this.#bytes = Buffer.byteLength(whole);
    this.#descriptor = fs.openSync(path, "a");
    fs.ftruncateSync(this.#descriptor, this.#bytes);
  }

  append(entry: StreamEntry): void {
    try {
      fs.appendFileSync(this.#descriptor, `${JSON.stringify(entry.record)}\n`);
    } catch (error) {
      fs.ftruncateSync(this.#descriptor, this.#bytes);
      throw error;
    }
    this.#bytes += entry.bytes + 1;
  }

  compact(entries: readonly StreamEntry[], worthwhileBytes: number): void {
    const kept = entries.reduce((sum, { bytes }) => sum + bytes + 1, 0);
    if (this.#bytes - kept < worthwhileBytes) {
      return;
    }
    const lines = entries.map(({ record }) => `${JSON.stringify(record)}\n`);
    fs.writeFileSync(`${this.#path}.tmp`, lines.join(""));
    // Closed first: Windows does not rename over an open file.
    fs.closeSync(this.#descriptor);
    fs.renameSync(`${this.#path}.tmp`, this.#path);
    this.#descriptor = fs.openSync(this.#path, "a");
    this.#bytes = kept;
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  #parse(line: string, index: number): StreamEntry {
    try {
      return { ...entryOf(JSON.parse(line) as StreamRecord), written: true };
    } catch (error) {
      throw new Error(
        `Line ${index + 1} of the stream log ${this.#path} is not a stream record. ` +
          "Start with another data folder, or delete this one.",
        { cause: error },
      );
    }
  }
}
