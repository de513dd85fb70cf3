import fs from "node:fs";
import { join } from "node:path";
import { isDiskFull } from "../../storage/diskFull";

/** The checkpoint of one event source mapping: a position per shard reader. */
export interface Checkpoint {
  readonly positions: readonly number[];
  /** Moves one shard reader's position and saves it, if the disk is not full. */
  move(shardReader: number, position: number): void;
  /** The mapping no longer reads; its checkpoint stays. */
  close(): void;
}

/** The checkpoints of a stream, by the ids of their mappings. */
export interface Checkpoints {
  /** Of all mappings, also of earlier runs. */
  positions(): number[];
  /** Of the mappings that read. */
  openPositions(): number[];
  /** The mappings that read. */
  openIds(): string[];
  /** @param start the position of a mapping without a checkpoint */
  open(id: string, start: number, readerCount: number): Checkpoint;
}

interface SavedCheckpoint {
  positions: number[];
  isOpen: boolean;
}

/**
 * Opens a stream's checkpoints.
 *
 * @param folder keeps them, each in a file; without one they are in memory
 * @throws {Error} if a file cannot be read
 */
export function openCheckpoints(folder: string | undefined): Checkpoints {
  const checkpoints = folder === undefined ? new Map<string, SavedCheckpoint>() : readAll(folder);
  const openOnes = () => [...checkpoints].filter(([, { isOpen }]) => isOpen);

  function save(id: string, positions: readonly number[]): void {
    if (folder === undefined) {
      return;
    }
    // A rename, because a process may be killed between emptying a file and filling it.
    const file = join(folder, `checkpoint-${encodeURIComponent(id)}.json`);
    try {
      fs.writeFileSync(`${file}.tmp`, JSON.stringify(positions));
      fs.renameSync(`${file}.tmp`, file);
    } catch (error) {
      // The earlier checkpoint stays: after a crash, records are redelivered.
      if (!isDiskFull(error)) {
        throw error;
      }
    }
  }

  return {
    positions: () => [...checkpoints.values()].flatMap(({ positions }) => positions),
    openPositions: () => openOnes().flatMap(([, { positions }]) => positions),
    openIds: () => openOnes().map(([id]) => id),
    open(id, start, readerCount) {
      let positions = checkpoints.get(id)?.positions ?? [start];
      // Another number of shard readers: resuming from the lowest position repeats records, but loses none.
      if (positions.length !== readerCount) {
        positions = Array<number>(readerCount).fill(Math.min(...positions));
      }
      const checkpoint = { positions, isOpen: true };
      checkpoints.set(id, checkpoint);
      save(id, positions);
      return {
        positions,
        move(shardReader, position) {
          positions[shardReader] = position;
          save(id, positions);
        },
        close() {
          checkpoint.isOpen = false;
        },
      };
    },
  };
}

function readAll(folder: string): Map<string, SavedCheckpoint> {
  fs.mkdirSync(folder, { recursive: true });
  const checkpoints = new Map<string, SavedCheckpoint>();
  for (const name of fs.readdirSync(folder)) {
    const id = /^checkpoint-(.*)\.json$/.exec(name)?.[1];
    if (id === undefined) {
      continue;
    }
    const positions = readPositions(join(folder, name));
    checkpoints.set(decodeURIComponent(id), { positions, isOpen: false });
  }
  return checkpoints;
}

function readPositions(file: string): number[] {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as number[];
  } catch (error) {
    throw new Error(
      `The checkpoint ${file} cannot be read. Delete it, and its mapping restarts with the ` +
        "oldest record that is left; or start with another data folder.",
      { cause: error },
    );
  }
}
