/**
 * How rows are spread over the index `time-index`: which partitions a status has, and in which of
 * them an event is. DynamoDB takes 1,000 write units a second in each.
 *
 * `statusShards` is how many partitions each status has. One: the status itself is the partition,
 * and rows have no attribute for it. Several: rows have `status_shard`, such as `failed#3`.
 */
import type { EventStatus } from "./event";

/** Of the end of an `event_id`, which is random or a hash in every version of UUID that is used. */
const SHARD_DIGITS = 8;

/** The attribute that is the index's hash key. */
export function partitionKey(statusShards: number): "event_status" | "status_shard" {
  return statusShards === 1 ? "event_status" : "status_shard";
}

function partitionOf(status: EventStatus, shard: number, statusShards: number): string {
  return statusShards === 1 ? status : `${status}#${shard}`;
}

/** The index's partitions that hold the events of a status. */
export function partitionsOf(status: EventStatus, statusShards: number): string[] {
  return Array.from({ length: statusShards }, (_, shard) =>
    partitionOf(status, shard, statusShards),
  );
}

/** An event's shard: the same one in every status. What is no UUID may be in any, but is in one. */
function shardOf(eventId: string, statusShards: number): number {
  // Unsigned: of what is no number 0, and of a negative one no negative shard.
  return (parseInt(eventId.slice(-SHARD_DIGITS), 16) >>> 0) % statusShards;
}

/** All attributes of a row that its status decides on: whoever writes one writes them all. */
export function statusAttributes(
  eventId: string,
  status: EventStatus,
  statusShards: number,
): Record<string, { S: string }> {
  const partition = partitionOf(status, shardOf(eventId, statusShards), statusShards);
  return { event_status: { S: status }, [partitionKey(statusShards)]: { S: partition } };
}
