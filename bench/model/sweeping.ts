/** Simulates one run of the sweeper, by its own code, at a table with DynamoDB's limits. */
import { S3Client } from "@aws-sdk/client-s3";
import type { EventStatus } from "../../events/event";
import { type Item, keyOf } from "../../events/item";
import { sweepStuckEvents } from "../../handlers/sweep/stuckEvents";
import { noCounts } from "../../handlers/sweep/sweepRun";
import { asError } from "../../runtime/awsErrors";
import { forEachConcurrently } from "../../runtime/concurrency";
import type { EventStore } from "../../store/eventStore";
import { advanceEvent } from "../../store/transitions";
import { invocationMs } from "./durations";
import { NEW_TABLE_WRITE_UNITS, shardsOf } from "./limits";
import { randomNumbers } from "./simulate";
import { StuckTable, THROTTLED } from "./stuckTable";
import { VirtualTime } from "./virtualTime";

export interface Sweeping {
  /** Stuck rows in each status. */
  rows: Partial<Record<EventStatus, number>>;
  rowBytes: number;
  /** Of the sweeper. */
  memoryMegabytes: number;
}

export interface Swept {
  /** Redelivered rows a minute. */
  perMinute: number;
  /** Rows that are left to the next run: their call was throttled three times. */
  left: number;
}

/** A Lambda has one CPU with so much memory, and a share of one with less. */
const CPU_MEGABYTES = 1769;

/** Milliseconds of one CPU for a call of the table with its log line, as measured. */
const CALL_CPU_MS = 0.6;

const SEED = 1;
const STUCK_SECONDS = 900;
const MAX_ATTEMPTS = 5;
/** Seconds since the rows changed, and until a Lambda's metrics are complete. */
const AGE_SECONDS = 2000;
const METRICS_SECONDS = 130;
/** Rows of a batch that a Lambda writes at the same time. */
const CONCURRENCY = 16;

/** The two Lambdas of the stream. */
const CONSUMERS = [
  { functionName: "process", statuses: ["created", "uploaded"], to: "processed", batch: 100 },
  { functionName: "notify", statuses: ["processed", "failed"], to: "notified", batch: 1000 },
] as const;

type Consumer = (typeof CONSUMERS)[number];

/** Takes redelivered rows to their next status, by batches, one at a time in each shard. */
class Pipeline {
  private readonly queues = new Map<string, Item[]>();

  constructor(
    private readonly time: VirtualTime,
    private readonly store: () => EventStore,
  ) {}

  deliver(row: Item): void {
    const consumer = CONSUMERS.find(({ statuses }) =>
      (statuses as readonly string[]).includes(row.event_status?.S ?? ""),
    );
    if (consumer) {
      const shard =
        parseInt((row.event_id?.S ?? "").slice(-8), 16) %
        shardsOf({ warmWriteUnits: NEW_TABLE_WRITE_UNITS });
      const name = `${consumer.functionName} ${shard}`;
      const queue = this.queues.get(name);
      if (queue) {
        queue.push(row);
      } else {
        const added = [row];
        this.queues.set(name, added);
        void this.work(consumer, name, added);
      }
    }
  }

  private async work({ functionName, to, batch }: Consumer, name: string, queue: Item[]) {
    while (queue.length > 0) {
      const rows = queue.splice(0, batch);
      await this.time.wait(invocationMs(functionName, rows.length));
      let left = rows;
      while (left.length > 0) {
        const failures = await forEachConcurrently(left, CONCURRENCY, async (row) => {
          await advanceEvent(this.store(), keyOf(row), to, { by: functionName });
        });
        left = failures.map(({ item }) => item);
      }
    }
    this.queues.delete(name);
  }
}

/** The rate at which a run redelivers stuck rows that all advance. */
export async function sweeping({ rows, rowBytes, memoryMegabytes }: Sweeping): Promise<Swept> {
  const time = new VirtualTime();
  const ago = (seconds: number) => new Date(time.now - seconds * 1000).toISOString();
  const table = new StuckTable(time, {
    rows,
    rowBytes,
    updatedAt: ago(AGE_SECONDS),
    random: randomNumbers(SEED),
    onRedelivered: (row) => {
      pipeline.deliver(row);
    },
  });
  const store = (dynamo = table.client()) => ({
    dynamo,
    tableName: "events",
    statusShards: 1,
    countsTableName: "counts",
    linksTableName: "links",
    reservationsTableName: "idempotency",
  });
  const pipeline = new Pipeline(time, store);

  let cpuFreeAt = time.now;
  const useCpu = async () => {
    cpuFreeAt = Math.max(cpuFreeAt, time.now) + (CALL_CPU_MS * CPU_MEGABYTES) / memoryMegabytes;
    await time.wait(cpuFreeAt - time.now);
  };
  const counts = noCounts();
  const startedAt = time.now;
  const { info, error } = console;
  // Each redelivery is logged.
  console.info = console.error = () => undefined;
  try {
    await time.run(() =>
      sweepStuckEvents(
        {
          store: store(table.client(useCpu)),
          s3: new S3Client({}),
          stuckSeconds: STUCK_SECONDS,
          hasTime: () => true,
          counts,
        },
        {
          maxAttempts: MAX_ATTEMPTS,
          consumers: CONSUMERS.map(({ functionName, statuses }) => ({
            functionName,
            statuses: [...statuses],
          })),
          readPositions: () => {
            const passed = ago(METRICS_SECONDS);
            return Promise.resolve(
              CONSUMERS.map(() => ({ passed, reached: passed, isActive: true })),
            );
          },
          sendAlarm: () => Promise.resolve(),
          pause: () => time.wait(1000),
        },
      ),
    );
  } catch (thrown) {
    // Single rows: all others were redelivered.
    if (asError(thrown).name !== THROTTLED) {
      throw thrown;
    }
  } finally {
    Object.assign(console, { info, error });
  }
  const all = Object.values(rows).reduce((sum, each) => sum + each, 0);
  return {
    perMinute: Math.round((counts.DrivenOn / (time.now - startedAt)) * 60_000),
    left: all - counts.DrivenOn,
  };
}
