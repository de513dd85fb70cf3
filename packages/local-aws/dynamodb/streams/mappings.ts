import { setTimeout } from "node:timers/promises";
import { AwsError } from "../../awsError";
import type { Roles } from "../../iam/roles";
import { functionNameOf } from "../../lambda/functionName";
import type { LambdaHost } from "../../lambda/host";
import type { Tables } from "../tables";
import { createEventSourceMapping, type EventSourceMapping } from "./eventSourceMapping";
import type { EventSourceMappingOptions } from "./mappingSettings";
import type { StreamRecord } from "./streamRecord";

export interface MappingsOptions extends Pick<EventSourceMappingOptions, "send" | "delayScale"> {
  tables: Pick<Tables, "stream">;
  lambda: Pick<LambdaHost, "invoke">;
  roles: Pick<Roles, "check">;
  /** Whether a batch that a function was invoked with is redelivered later. */
  replays?(records: readonly StreamRecord[]): boolean;
  /**
   * A batch reached its function, which may have failed.
   *
   * @param lastArrival of its last record, in seconds since 1970
   * @param sent seconds since 1970
   */
  onBatchSent?(functionName: string, lastArrival: number, sent: number): void;
  onError: (message: string) => void;
}

/** The event source mappings of a program: each reads a stream and invokes a function. */
export interface Mappings {
  /**
   * Makes a mapping, which reads from `start` on.
   *
   * @throws AwsError InvalidParameterValueException where the function's role may not read the stream
   */
  create(
    mapping: Pick<EventSourceMappingOptions, "id" | "functionArn" | "settings"> & {
      streamArn: string;
    },
  ): void;
  start(): void;
  /** Resolves when every stream's records are processed; rejects if a mapping is closed before. */
  idle(): Promise<void>;
  /** Records that a function's mapping has not passed, by the function's name. */
  waiting(): Record<string, number>;
  /** No invocation begins any more. */
  close(): void;
}

/** From the first delivery of a batch to its replay: other batches come in between. */
const REPLAY_DELAY_MS = 200;

/** The permissions that Lambda checks when a mapping is made. */
const STREAM_OPERATIONS = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"];

export function createMappings(options: MappingsOptions): Mappings {
  const { tables, lambda, roles, delayScale, onError } = options;
  /** Each with its function's name. */
  const mappings = new Map<EventSourceMapping, string>();
  const replaying = new Set<Promise<void>>();
  const replayed = new WeakSet<StreamRecord>();
  const closing = new AbortController();

  function checkStreamAccess(functionArn: string, streamArn: string): void {
    for (const operation of STREAM_OPERATIONS) {
      const denial = roles.check(functionNameOf(functionArn), `dynamodb:${operation}`, streamArn);
      if (denial !== undefined) {
        throw new AwsError("InvalidParameterValueException", 400, denial);
      }
    }
  }

  /** Redelivers the batch if `replays` demands it; a replay is not replayed again. */
  function considerReplay(mapping: EventSourceMapping, records: StreamRecord[]): void {
    const [first] = records;
    if (!first || replayed.has(first) || !options.replays?.(records)) {
      return;
    }
    for (const record of records) {
      replayed.add(record);
    }
    const replay = setTimeout(REPLAY_DELAY_MS, undefined, { signal: closing.signal })
      .then(() => mapping.replay(records))
      .catch((error: unknown) => {
        if (!closing.signal.aborted) {
          onError(`A replay failed: ${String(error)}`);
        }
      })
      .finally(() => replaying.delete(replay));
    replaying.add(replay);
  }

  return {
    create({ id, streamArn, functionArn, settings }) {
      const stream = tables.stream(streamArn);
      checkStreamAccess(functionArn, streamArn);
      const mapping = createEventSourceMapping({
        id,
        functionArn,
        stream,
        settings,
        invoke: async (payload) => {
          const sent = Date.now() / 1000;
          const result = await lambda.invoke(functionArn, payload);
          const last = payload.Records.at(-1)?.dynamodb.ApproximateCreationDateTime ?? sent;
          options.onBatchSent?.(functionNameOf(functionArn), last, sent);
          considerReplay(mapping, payload.Records);
          return result;
        },
        send: (arn, body) => options.send(arn, body),
        delayScale,
        onError: ({ message }) => {
          onError(message);
        },
      });
      mappings.set(mapping, functionNameOf(functionArn));
    },
    start() {
      for (const mapping of mappings.keys()) {
        mapping.start();
      }
    },
    async idle() {
      await Promise.all([...mappings.keys()].map((mapping) => mapping.idle()));
      await Promise.all(replaying);
    },
    waiting: () =>
      Object.fromEntries([...mappings].map(([mapping, name]) => [name, mapping.waiting])),
    close() {
      closing.abort();
      for (const mapping of mappings.keys()) {
        mapping.close();
      }
    },
  };
}
