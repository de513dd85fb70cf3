import type { EventStatus, FileEvent } from "./event";
import { isRetryable } from "./failures";

const PREDECESSORS: Record<EventStatus, readonly EventStatus[]> = {
  created: [],
  uploaded: [],
  processed: ["created", "uploaded"],
  notified: ["processed"],
  failed: ["created", "uploaded", "processed"],
};

/**
 * The statuses from which an event may move to `to`. Every status write has them as its condition,
 * so that a late or repeated write never moves a status backwards. (A retry, from `failed` back to
 * `failed_from`, is not a transition of the pipeline.)
 */
export function predecessorsOf(to: EventStatus): readonly EventStatus[] {
  return PREDECESSORS[to];
}

/** Whether the pipeline may move an event from one status to the other. */
export function isTransition(from: EventStatus, to: EventStatus): boolean {
  return predecessorsOf(to).includes(from);
}

/** The status that a retry sets a `failed` event to; undefined: the event cannot be retried. */
export function retryStatusOf({ failed_from, last_error }: FileEvent): EventStatus | undefined {
  return failed_from !== undefined &&
    isTransition(failed_from, "failed") &&
    isRetryable(last_error?.code)
    ? failed_from
    : undefined;
}
