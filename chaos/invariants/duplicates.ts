import type { Moment, Topic } from "../world";

/** An event that was published again. */
export interface Duplicate {
  eventId: string;
  topic: Topic;
  /**
   * `crash`: notify died between publish and status write; `lost answer`: SNS's answer to the first
   * publish did not arrive; `none`: no fault explains it.
   */
  cause: "crash" | "lost answer" | "none";
}

/** Every publication of an event after its first, with its cause. */
export function duplicatesOf(moments: Iterable<Moment>): Duplicate[] {
  const acknowledged = new Set<string>();
  for (const moment of moments) {
    if (moment.kind === "acknowledged") {
      acknowledged.add(moment.messageId);
    }
  }
  const duplicates: Duplicate[] = [];
  const last = new Map<string, { messageId: string; deaths: number }>();
  let deaths = 0;
  for (const moment of moments) {
    if (moment.kind === "died" && moment.functionName === "notify") {
      deaths += 1;
    }
    if (moment.kind !== "published") {
      continue;
    }
    const { topic, messageId, eventIds } = moment;
    // One for all events of the message.
    const publication = { messageId, deaths };
    for (const eventId of eventIds) {
      const previous = last.get(`${topic} ${eventId}`);
      if (previous) {
        const isAcknowledged = acknowledged.has(previous.messageId);
        const cause = deaths > previous.deaths ? "crash" : isAcknowledged ? "none" : "lost answer";
        duplicates.push({ eventId, topic, cause });
      }
      last.set(`${topic} ${eventId}`, publication);
    }
  }
  return duplicates;
}
