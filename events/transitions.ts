import type { EventStatus } from "./event";

const PREDECESSORS: Record<EventStatus, readonly EventStatus[]> = {
  created: [],
  uploaded: [],
  processed: ["created", "uploaded"],
  notified: ["processed"],
  failed: ["created", "uploaded", "processed"],
};

/**
 * The statuses from which an event may move to `to`. Every status write carries them as its
 * condition, so that a status never goes backwards, whoever writes late or twice. (The way out of
 * `failed` is an explicit retry, back to where the event failed: not a transition of the pipeline.)
 */
export function predecessorsOf(to: EventStatus): readonly EventStatus[] {
  return PREDECESSORS[to];
}

/** Whether the pipeline may move an event from one status to the other. */
export function isTransition(from: EventStatus, to: EventStatus): boolean {
  return predecessorsOf(to).includes(from);
}
