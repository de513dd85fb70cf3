/**
 * How rows are spread over the partitions of the index `time-index`. DynamoDB accepts 1,000 write
 * units a second for each partition.
 *
 * `statusShards` is the number of partitions for each status. With 1, the hash key is
 * `event_status`; with more, it is the attribute `status_shard`, such as `failed#3`.
 */
import type { EventStatus } from "./event";

/** Taken from the end of an `event_id`: random in UUID v7, a hash in v5 and v8. */
const SHARD_DIGITS = 8;

/** The index's hash key. */
export function partitionKey(statusShards: number): "event_status" | "status_shard" {
  return statusShards === 1 ? "event_status" : "status_shard";
}

function partitionOf(status: EventStatus, shard: number, statusShards: number): string {
  return statusShards === 1 ? status : `${status}#${shard}`;
}

/** The partitions that hold the events of a status. */
export function partitionsOf(status: EventStatus, statusShards: number): string[] {
  return Array.from({ length: statusShards }, (_, shard) =>
    partitionOf(status, shard, statusShards),
  );
}

/** An event's shard: the same in every status. Any text gives a valid shard. */
function shardOf(eventId: string, statusShards: number): number {
  // `>>> 0` turns NaN into 0 and makes negative numbers positive.
  return (parseInt(eventId.slice(-SHARD_DIGITS), 16) >>> 0) % statusShards;
}

/** All attributes that depend on the status: they are written together. */
export function statusAttributes(
  eventId: string,
  status: EventStatus,
  statusShards: number,
): Record<string, { S: string }> {
  const partition = partitionOf(status, shardOf(eventId, statusShards), statusShards);
  return { event_status: { S: status }, [partitionKey(statusShards)]: { S: partition } };
}
