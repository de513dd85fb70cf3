import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { diskError, noSuchBucket, noSuchKey } from "./errors";
import { createFiles, type Files } from "./files";
import { openJournal } from "./journal";
import { createSequencer, type Sequencer } from "./sequencer";
import { type BucketState, type Change, createState, type Entry, type State } from "./state";

/** What the store's operations share. */
export interface Core {
  readonly state: State;
  readonly files: Files;
  readonly sequencer: Sequencer;
  /**
   * Makes a change: first in the journal, then in memory. Nothing is awaited.
   * @param added files that the change brings into use
   * @throws AwsError ServiceUnavailable 503 if the disk is full; these files are then removed
   */
  readonly commit: (change: Change, added?: readonly string[]) => void;
  /** @throws AwsError NoSuchBucket */
  readonly bucketOf: (name: string) => BucketState;
  /** @throws AwsError NoSuchBucket or NoSuchKey */
  readonly entryOf: (bucket: string, key: string) => Entry;
  close(): Promise<void>;
}

/** The journal is rewritten at opening if it has this many times the records that it needs. */
const COMPACTION_FACTOR = 3;
const SMALL_JOURNAL = 1000;

/**
 * Opens a store's folder, or makes it. Nobody else may have it open.
 * @throws Error for a damaged journal, or one of a later version
 */
export function openCore(folder: string): Core {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = createFiles(folder);
  const state = createState();
  const sequencer = createSequencer();
  let records = 0;
  const journal = openJournal(join(folder, "journal"), (record) => {
    const change = record as Change;
    checkVersion(change, folder);
    recallSequencer(change, sequencer);
    state.apply(change);
    records++;
  });
  if (records === 0) {
    journal.append(firstRecord(sequencer));
  } else if (records > SMALL_JOURNAL && records > COMPACTION_FACTOR * state.size()) {
    journal.rewrite(snapshot(state, sequencer));
  }
  files.sweep(state.filesInUse());

  const bucketOf = (name: string) => {
    const bucket = state.buckets.get(name);
    if (!bucket) {
      throw noSuchBucket(name);
    }
    return bucket;
  };

  return {
    state,
    files,
    sequencer,
    commit(change, added = []) {
      try {
        journal.append(change);
      } catch (error) {
        files.remove(added);
        throw diskError(error);
      }
      files.remove(state.apply(change));
    },
    bucketOf,
    entryOf(bucket, key) {
      const entry = bucketOf(bucket).objects.get(key);
      if (!entry) {
        throw noSuchKey(key);
      }
      return entry;
    },
    async close() {
      journal.close();
      await files.close();
    },
  };
}

function firstRecord(sequencer: Sequencer): Change {
  return { op: "open", version: 1, sequencer: sequencer.last() };
}

function* snapshot(state: State, sequencer: Sequencer): Iterable<Change> {
  yield firstRecord(sequencer);
  yield* state.changes();
}

function checkVersion(change: Change, folder: string): void {
  if (change.op === "open" && (change.version as number) !== 1) {
    throw new Error(`${folder} is of a later version of this program. Choose another folder.`);
  }
}

/** Numbers grow from run to run even if the clock is set back. */
function recallSequencer(change: Change, sequencer: Sequencer): void {
  if (change.op === "open") {
    sequencer.seen(change.sequencer);
  } else if (change.op === "put") {
    sequencer.seen(change.entry.sequencer);
  } else if (change.op === "putPart") {
    sequencer.seen(change.part.file);
  }
}
