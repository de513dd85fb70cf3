import { deliver, type DeliveryOptions } from "./batchDelivery";
import type { CompleteSettings, EventSourceMappingOptions } from "./mappingSettings";
import type { StreamReader } from "./streamLog";
import { positionOf, type StreamRecord } from "./streamRecord";

/** Shared by a mapping's shard readers. */
export interface ShardReaderContext {
  options: EventSourceMappingOptions;
  settings: CompleteSettings;
  passes: (record: unknown) => boolean;
  reader: StreamReader;
  signal: AbortSignal;
  /** Called when the reader's checkpoint has moved. */
  onMoved: () => void;
}

/** Delivers a shard's records, or those of some of its partition keys: one batch at a time, in order. */
export interface ShardReader {
  /** Every record of the stream has been read. */
  readonly isIdle: boolean;
  /** Delivers batches until the mapping closes. */
  run(): Promise<void>;
  /** Redelivers its own among these records, without moving the checkpoint. */
  replay(records: readonly StreamRecord[]): Promise<void>;
}

/** The size of a synchronous invoke's payload: Lambda's quota of 6 MB. */
const PAYLOAD_BYTES = 6 * 1024 * 1024;
const EMPTY_PAYLOAD_BYTES = '{"Records":[]}'.length;

/** Makes the reader with this index among the mapping's shard readers. */
export function createShardReader(index: number, context: ShardReaderContext): ShardReader {
  const { options, settings, passes, reader, signal } = context;
  const { stream } = options;
  const delivery: DeliveryOptions = {
    ...settings,
    id: options.id,
    functionArn: options.functionArn,
    streamArn: stream.streamArn,
    shardId: `shardId-${String(index % stream.shardCount).padStart(20, "0")}`,
    onFailureArn: options.settings.onFailureArn,
    delayScale: options.delayScale ?? 1,
    invoke: (payload) => options.invoke(payload),
    send: (arn, body) => options.send(arn, body),
    onError: (error) => {
      options.onError(error);
    },
    onPassed: (last) => {
      advance(positionOf(last));
    },
    signal,
  };
  /** Ends with the batch that is being delivered. */
  let turn: Promise<unknown> = Promise.resolve();

  function position(): number {
    return reader.positions[index] ?? 0;
  }

  /**
   * Waits for records; returns none only when closed. Records that the filter drops fill no batch
   * and invoke nothing.
   */
  async function gather(): Promise<{ records: StreamRecord[]; end: number }> {
    const { batchSize, maximumBatchingWindowSeconds } = settings;
    const records: StreamRecord[] = [];
    let bytes = EMPTY_PAYLOAD_BYTES;
    let end = position();
    let deadline = Infinity;
    while (!signal.aborted) {
      for (let entry = stream.entryAfter(end); entry; entry = stream.entryAfter(end)) {
        if (entry.written && takes(entry.record)) {
          // One more for the comma.
          bytes += entry.bytes + 1;
          if (bytes > PAYLOAD_BYTES && records.length > 0) {
            return { records, end };
          }
          if (records.length === 0) {
            deadline = Date.now() + maximumBatchingWindowSeconds * 1000;
          }
          records.push(entry.record);
        }
        end = entry.position;
        if (records.length === batchSize) {
          return { records, end };
        }
      }
      const left = deadline - Date.now();
      if (left <= 0) {
        break;
      }
      if (records.length === 0) {
        advance(end);
      }
      await stream.waitAfter(end, signal, Number.isFinite(left) ? left : undefined);
    }
    return { records: isClosed() ? [] : records, end };
  }

  function isClosed(): boolean {
    return signal.aborted;
  }

  function takes(record: StreamRecord): boolean {
    const readers = reader.positions.length;
    return passes(record) && (readers === 1 || stream.hashOf(record) % readers === index);
  }

  function advance(to: number): void {
    reader.advance(index, to);
    context.onMoved();
  }

  async function inTurn(work: () => Promise<void>): Promise<void> {
    const own = turn.then(work);
    // An error rejects this caller's promise only; the next turn starts regardless.
    turn = own.catch(() => undefined);
    await own;
  }

  return {
    get isIdle() {
      return position() >= stream.lastPosition;
    },
    async run() {
      for (;;) {
        const { records, end } = await gather();
        if (records.length === 0) {
          return;
        }
        await inTurn(() => deliver(records, delivery));
        if (isClosed()) {
          return;
        }
        advance(end);
      }
    },
    async replay(records) {
      const own = records.filter(takes);
      if (own.length > 0) {
        await inTurn(() => deliver(own, { ...delivery, onPassed: () => undefined }));
      }
    },
  };
}
