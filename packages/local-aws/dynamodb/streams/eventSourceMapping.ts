import { parseFilters } from "./filterCriteria";
import { completeSettings, type EventSourceMappingOptions } from "./mappingSettings";
import { createShardReader } from "./shardReader";
import type { StreamRecord } from "./streamRecord";

/** Reads a stream and invokes a Lambda with batches of its records. */
export interface EventSourceMapping {
  start(): void;
  /** Ends at once: no further invoke begins, and the answer of one in flight is not awaited. */
  close(): void;
  /** Resolves when every record of the stream has been read; rejects if the mapping is closed before. */
  idle(): Promise<void>;
  /** The stream's records that it has not passed. */
  readonly waiting: number;
  /**
   * Redelivers records, as AWS may: filtered, in order with the shard's other batches, and
   * without moving the checkpoint. Resolves when all are delivered or discarded.
   */
  replay(records: readonly StreamRecord[]): Promise<void>;
}

/** @throws {Error} for a setting that AWS would refuse, or for a third mapping on one stream */
export function createEventSourceMapping(options: EventSourceMappingOptions): EventSourceMapping {
  const { id, stream } = options;
  const settings = completeSettings(options);
  const passes = parseFilters(options.settings.filters ?? { filters: [] });
  const readerCount = stream.shardCount * settings.parallelizationFactor;
  const reader = stream.openReader(id, settings.startingPosition, readerCount);
  const closing = new AbortController();
  const waiting = new Set<() => void>();
  const onMoved = (): void => {
    waiting.forEach((check) => {
      check();
    });
  };
  const context = { options, settings, passes, reader, signal: closing.signal, onMoved };
  const shardReaders = Array.from({ length: readerCount }, (_, index) =>
    createShardReader(index, context),
  );
  let started = false;

  return {
    start() {
      if (started) {
        return;
      }
      started = true;
      for (const shardReader of shardReaders) {
        shardReader.run().catch((error: unknown) => {
          const message = `The event source mapping "${id}" has stopped: ${String(error)}`;
          options.onError(new Error(message, { cause: error }));
        });
      }
    },
    close() {
      if (closing.signal.aborted) {
        return;
      }
      closing.abort();
      reader.close();
    },
    async idle() {
      await new Promise<void>((resolve, reject) => {
        const check = (): void => {
          const isIdle = shardReaders.every((shardReader) => shardReader.isIdle);
          if (!isIdle && !closing.signal.aborted) {
            return;
          }
          waiting.delete(check);
          closing.signal.removeEventListener("abort", check);
          if (isIdle) {
            resolve();
          } else {
            reject(new Error(`The event source mapping "${id}" is closed, and was not idle.`));
          }
        };
        waiting.add(check);
        closing.signal.addEventListener("abort", check);
        check();
      });
    },
    get waiting() {
      return stream.lastPosition - Math.min(...reader.positions);
    },
    async replay(records) {
      await Promise.all(shardReaders.map((shardReader) => shardReader.replay(records)));
    },
  };
}
