import { QueryCommand } from "@aws-sdk/client-dynamodb";
import type { EventKey, EventStatus } from "../../events/event";
import type { AttributeValue } from "../../events/item";
import { partitionKey, partitionsOf } from "../../events/partitions";
import { predecessorsOf } from "../../events/transitions";
import { logError, logInfo } from "../../runtime/log";
import { forEachConcurrently } from "../../runtime/streamBatch";
import { advanceEvent, updateRow } from "../../store/eventStore";
import { isoBefore, type SweepRun } from "./sweepRun";

/**
 * What one run takes on of each status, the same of each of its partitions; the next run goes on
 * where this one ended.
 */
const MAX_ROWS_PER_STATUS = 250;

/** Rows of one page that are written at the same time. */
const CONCURRENCY = 16;

/** For how long operations are told again of a failure whose message did not get through. */
const ALARM_WINDOW_SECONDS = 24 * 60 * 60;

/** A row of the index, as far as it matters here: it may well be broken otherwise. */
interface StuckRow {
  key: EventKey;
  status: EventStatus;
  /** undefined: never driven on. */
  attempts: number | undefined;
}

/** One of the index's partitions, and whose rows it has. */
interface Partition {
  status: EventStatus;
  partition: string;
}

function stuckRow(item: Record<string, AttributeValue>, status: EventStatus): StuckRow {
  return {
    key: {
      event_id: item.event_id?.S ?? "",
      event_timestamp: item.event_timestamp?.S ?? "",
    },
    status,
    attempts: item.attempts?.N === undefined ? undefined : Number(item.attempts.N),
  };
}

/** That nobody has counted on this row in the meantime: two sweepers at once count once. */
function attemptsAsRead({ attempts }: StuckRow) {
  return { attempts: attempts === undefined ? [] : [{ N: String(attempts) }] };
}

/** The row's change of `attempts` alone makes a stream record, which brings it to its Lambda. */
function driveOn({ store }: SweepRun, row: StuckRow): Promise<boolean> {
  const isFailed = row.status === "failed";
  return updateRow(store, row.key, {
    set: {
      attempts: { N: String((row.attempts ?? 0) + 1) },
      // Of a failed event, it tells when that failed.
      ...(!isFailed && { updated_at: { S: new Date().toISOString() } }),
    },
    expect: {
      ...attemptsAsRead(row),
      ...(isFailed && { alarmed_at: [] }),
      event_status: [{ S: row.status }],
    },
  });
}

function giveUp(run: SweepRun, row: StuckRow, maxAttempts: number): Promise<boolean> {
  const { store, stuckSeconds } = run;
  const message =
    `The event stood in the status "${row.status}" for over ${stuckSeconds} seconds, ` +
    `and driving it on ${maxAttempts} times did not help.`;
  return advanceEvent(
    store,
    row.key,
    "failed",
    {
      failed_from: row.status,
      last_error: { code: "TooManyAttempts", message, step: "sweep" },
    },
    attemptsAsRead(row),
  );
}

/**
 * Brings events to their Lambda once more that have stood still for too long, oldest first: those
 * on their way, and failed ones of the last day that nobody was told of. Past the limit of
 * attempts, an event on its way becomes `failed`.
 *
 * @param maxAttempts how often an event is driven on before it is given up
 *
 * @throws when a row could not be read or written, after all others were
 */
export async function sweepStuck(run: SweepRun, maxAttempts: number): Promise<void> {
  const { store, stuckSeconds, hasTime, counts } = run;
  const { dynamo, tableName, statusShards } = store;
  const key = partitionKey(statusShards);
  const maxRows = Math.ceil(MAX_ROWS_PER_STATUS / statusShards);
  const errors: unknown[] = [];

  const sweepRow = async (row: StuckRow) => {
    const { event_id } = row.key;
    if (row.status !== "failed" && (row.attempts ?? 0) >= maxAttempts) {
      if (await giveUp(run, row, maxAttempts)) {
        counts.GivenUp += 1;
        logInfo("The event was given up.", { event_id, event_status: row.status });
      }
    } else if (await driveOn(run, row)) {
      counts.DrivenOn += 1;
      logInfo("The event was driven on.", { event_id, event_status: row.status });
    }
  };

  const sweepPartition = async ({ status, partition }: Partition) => {
    if (!hasTime()) {
      return;
    }
    const isFailed = status === "failed";
    const before = isoBefore(stuckSeconds);
    let rows = 0;
    let next: Record<string, AttributeValue> | undefined;
    do {
      const page = await dynamo.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: "time-index",
          KeyConditionExpression: `${key} = :partition AND event_timestamp BETWEEN :after AND :before`,
          FilterExpression: `updated_at < :before${isFailed ? " AND attribute_not_exists(alarmed_at)" : ""}`,
          ExpressionAttributeValues: {
            ":partition": { S: partition },
            ":after": { S: isFailed ? isoBefore(stuckSeconds + ALARM_WINDOW_SECONDS) : "0" },
            ":before": { S: before },
          },
          ExclusiveStartKey: next as Record<string, { S: string }> | undefined,
        }),
      );
      const items = (page.Items ?? []) as Record<string, AttributeValue>[];
      const stuck = items.slice(0, maxRows - rows).map((item) => stuckRow(item, status));
      rows += stuck.length;
      for (const { item, error } of await forEachConcurrently(stuck, CONCURRENCY, sweepRow)) {
        logError("A stuck event could not be driven on.", error, { event_id: item.key.event_id });
        errors.push(error);
      }
      next = page.LastEvaluatedKey;
    } while (next && rows < maxRows && hasTime());
  };

  const statuses: EventStatus[] = [...predecessorsOf("failed"), "failed"];
  const partitions = statuses.flatMap((status) =>
    partitionsOf(status, statusShards).map((partition) => ({ status, partition })),
  );
  for (const { item, error } of await forEachConcurrently(partitions, 1, sweepPartition)) {
    logError("Stuck events could not be listed.", error, { partition: item.partition });
    errors.push(error);
  }
  if (errors.length > 0) {
    throw errors[0];
  }
}
