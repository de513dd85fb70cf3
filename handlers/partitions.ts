import type { EventStatus } from "../events/event";

/** The index's partitions that hold the events of a status. */
export function partitionsOf(status: EventStatus): string[] {
  return [status];
}
