import { deliver, type DeliveryOptions, type InvokeResult } from "./batchDelivery";
import { type FilterCriteria, parseFilters } from "./filterCriteria";
import { positionOf, type StreamLog, type StreamReader, type StreamRecord } from "./streamLog";

/** The settings of an `aws.lambda.EventSourceMapping` on a DynamoDB stream. */
export interface EventSourceMappingSettings {
  startingPosition: "TRIM_HORIZON" | "LATEST";
  /** 1 to 10,000. @default 100 */
  batchSize?: number;
  /** 0 to 300. @default 0 */
  maximumBatchingWindowSeconds?: number;
  filters?: FilterCriteria;
  /** @default false */
  reportBatchItemFailures?: boolean;
  /** @default false */
  bisectBatchOnFunctionError?: boolean;
  /** 0 to 10,000; -1: until the record expires. @default -1 */
  maximumRetryAttempts?: number;
  /** 60 to 604,800; -1: until the record expires, after 24 hours. @default -1 */
  maximumRecordAgeSeconds?: number;
  /** 1 to 10: how many batches of a shard run at once, each for partition keys of its own. @default 1 */
  parallelizationFactor?: number;
  /** An SQS queue or SNS topic that gets the metadata of discarded records. */
  onFailureArn?: string;
}

export interface EventSourceMappingOptions {
  /** The same from run to run: it names the checkpoint. */
  id: string;
  functionArn: string;
  stream: StreamLog;
  settings: EventSourceMappingSettings;
  /** Calls the Lambda; rejects if the call does not reach the function (throttled). */
  invoke(payload: { Records: StreamRecord[] }): Promise<InvokeResult>;
  /** Sends a message to the on-failure destination. */
  send(destinationArn: string, body: string): Promise<void>;
  /** Gets what a user should know of: no Lambda reached, an invalid answer, records discarded. */
  onError(error: Error): void;
  /** Multiplies the delays between retries. @default 1 */
  delayScale?: number;
}

/** Reads a stream and invokes a Lambda with batches of its records. */
export interface EventSourceMapping {
  start(): void;
  /** Ends at once: no invoke begins any more, and the answer of one in flight is not awaited. */
  close(): void;
  /** Resolves when every record of the stream is past; rejects if the mapping is closed before. */
  idle(): Promise<void>;
  /**
   * Delivers records once more, as AWS may: filtered, in order with the shard's other batches, and
   * without a move of the checkpoint. Resolves when they are done with.
   */
  replay(records: readonly StreamRecord[]): Promise<void>;
}

/** The size of a synchronous invoke's payload: Lambda's quota of 6 MB. */
const PAYLOAD_BYTES = 6 * 1024 * 1024;
const EMPTY_PAYLOAD_BYTES = '{"Records":[]}'.length;

/** @throws {Error} for a setting that AWS would refuse, or for a third mapping on one stream */
export function createEventSourceMapping(options: EventSourceMappingOptions): EventSourceMapping {
  const { id, stream } = options;
  const settings = completed(options);
  const passes = parseFilters(options.settings.filters ?? { filters: [] });
  const laneCount = stream.shardCount * settings.parallelizationFactor;
  const reader = stream.openReader(id, settings.startingPosition, laneCount);
  const closing = new AbortController();
  const waiting = new Set<() => void>();
  const onMoved = (): void => {
    waiting.forEach((check) => {
      check();
    });
  };
  const context = { options, settings, passes, reader, signal: closing.signal, onMoved };
  const lanes = Array.from({ length: laneCount }, (_, index) => new Lane(index, context));
  let started = false;

  return {
    start() {
      if (started) {
        return;
      }
      started = true;
      for (const lane of lanes) {
        lane.run().catch((error: unknown) => {
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
          const isIdle = lanes.every((lane) => lane.isIdle);
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
    async replay(records) {
      await Promise.all(lanes.map((lane) => lane.replay(records)));
    },
  };
}

type CompleteSettings = Required<Omit<EventSourceMappingSettings, "filters" | "onFailureArn">>;

function completed({ id, settings }: EventSourceMappingOptions): CompleteSettings {
  const number = (
    name: keyof EventSourceMappingSettings & keyof typeof ranges,
    fallback: number,
  ): number => {
    const value = settings[name] ?? fallback;
    const [least, most] = ranges[name];
    if (value === fallback || (Number.isInteger(value) && value >= least && value <= most)) {
      return value;
    }
    throw new Error(
      `The event source mapping "${id}" has ${name} ${value}: it must be a whole number from ` +
        `${least} to ${most}.`,
    );
  };
  return {
    startingPosition: settings.startingPosition,
    batchSize: number("batchSize", 100),
    maximumBatchingWindowSeconds: number("maximumBatchingWindowSeconds", 0),
    reportBatchItemFailures: settings.reportBatchItemFailures ?? false,
    bisectBatchOnFunctionError: settings.bisectBatchOnFunctionError ?? false,
    maximumRetryAttempts: number("maximumRetryAttempts", -1),
    maximumRecordAgeSeconds: number("maximumRecordAgeSeconds", -1),
    parallelizationFactor: number("parallelizationFactor", 1),
  };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html */
const ranges = {
  batchSize: [1, 10_000],
  maximumBatchingWindowSeconds: [0, 300],
  maximumRetryAttempts: [0, 10_000],
  maximumRecordAgeSeconds: [60, 604_800],
  parallelizationFactor: [1, 10],
} as const;

interface LaneContext {
  options: EventSourceMappingOptions;
  settings: CompleteSettings;
  passes: (record: unknown) => boolean;
  reader: StreamReader;
  signal: AbortSignal;
  onMoved: () => void;
}

/** A shard's records, or those of some of its partition keys: one batch at a time, in order. */
class Lane {
  readonly #index: number;
  readonly #context: LaneContext;
  readonly #stream: StreamLog;
  readonly #delivery: DeliveryOptions;
  /** Ends when the batch that is being delivered does. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(index: number, context: LaneContext) {
    const { options, settings, signal } = context;
    this.#index = index;
    this.#context = context;
    this.#stream = options.stream;
    this.#delivery = {
      ...settings,
      id: options.id,
      functionArn: options.functionArn,
      streamArn: this.#stream.streamArn,
      shardId: `shardId-${String(index % this.#stream.shardCount).padStart(20, "0")}`,
      onFailureArn: options.settings.onFailureArn,
      delayScale: options.delayScale ?? 1,
      invoke: (payload) => options.invoke(payload),
      send: (arn, body) => options.send(arn, body),
      onError: (error) => {
        options.onError(error);
      },
      onPassed: (last) => {
        this.#advance(positionOf(last));
      },
      signal,
    };
  }

  get isIdle(): boolean {
    return this.#position >= this.#stream.lastPosition;
  }

  async run(): Promise<void> {
    for (;;) {
      const batch = await this.#gather();
      if (batch.records.length === 0) {
        return;
      }
      await this.#inTurn(() => deliver(batch.records, this.#delivery));
      if (this.#context.signal.aborted) {
        return;
      }
      this.#advance(batch.end);
    }
  }

  async replay(records: readonly StreamRecord[]): Promise<void> {
    const own = records.filter((record) => this.#takes(record));
    if (own.length === 0) {
      return;
    }
    const delivery = { ...this.#delivery, onPassed: (): void => undefined };
    await this.#inTurn(() => deliver(own, delivery));
  }

  get #position(): number {
    return this.#context.reader.positions[this.#index] ?? 0;
  }

  /**
   * Waits for records; returns none only when closed. What the filter drops is passed over: it fills
   * no batch and invokes nothing.
   */
  async #gather(): Promise<{ records: StreamRecord[]; end: number }> {
    const { batchSize, maximumBatchingWindowSeconds } = this.#context.settings;
    const records: StreamRecord[] = [];
    let bytes = EMPTY_PAYLOAD_BYTES;
    let end = this.#position;
    let deadline = Infinity;
    while (!this.#context.signal.aborted) {
      for (let entry = this.#stream.entryAfter(end); entry; entry = this.#stream.entryAfter(end)) {
        if (entry.written && this.#takes(entry.record)) {
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
        this.#advance(end);
      }
      const milliseconds = Number.isFinite(left) ? left : undefined;
      await this.#stream.waitAfter(end, this.#context.signal, milliseconds);
    }
    return { records: this.#context.signal.aborted ? [] : records, end };
  }

  #takes(record: StreamRecord): boolean {
    const { passes, reader } = this.#context;
    const isOwn = this.#stream.hashOf(record) % reader.positions.length === this.#index;
    return isOwn && passes(record);
  }

  #advance(position: number): void {
    this.#context.reader.advance(this.#index, position);
    this.#context.onMoved();
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    // Whoever asked for the work gets its error; the next one's turn comes all the same.
    this.#turn = turn.catch(() => undefined);
    await turn;
  }
}
