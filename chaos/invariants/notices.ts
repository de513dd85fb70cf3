import type { EventStatus } from "../../events/event";
import type { World } from "../world";
import { duplicatesOf } from "./duplicates";
import { type Violation, violation } from "./violation";

function isUnfinished(status: EventStatus): boolean {
  return status !== "notified" && status !== "failed";
}

/** Invariant 4: no event stops on its way. */
export function everyEventFinishes({ rows }: World): Violation[] {
  const unfinished: string[] = [];
  for (const { event_id, event_status } of rows) {
    if (isUnfinished(event_status)) {
      unfinished.push(`${event_id} (${event_status})`);
    }
  }
  return violation(4, "events that are not finished", unfinished);
}

/** Invariant 4: a mail reports every event, before its row says so. */
export function notifiedArePublished({ rows, moments }: World): Violation[] {
  const published = new Set<string>();
  const early: string[] = [];
  for (const moment of moments) {
    if (moment.kind === "published" && moment.topic === "notices") {
      moment.eventIds.forEach((eventId) => published.add(eventId));
    }
    if (moment.kind === "status" && moment.to === "notified" && !published.has(moment.eventId)) {
      early.push(moment.eventId);
    }
  }
  const unpublished: string[] = [];
  for (const { event_id, event_status } of rows) {
    if (event_status === "notified" && !published.has(event_id)) {
      unpublished.push(event_id);
    }
  }
  return [
    ...violation(4, "notified events without a mail", unpublished),
    ...violation(4, "events that were notified before the publish", early),
  ];
}

/** Invariant 4: no mail is duplicated without a fault. */
export function duplicatesHaveCauses({ moments }: World): Violation[] {
  const unexplained = duplicatesOf(moments).filter(({ cause }) => cause === "none");
  return violation(
    4,
    "events that were published again without a fault",
    unexplained.map(({ eventId, topic }) => `${eventId} (${topic})`),
  );
}

/** Invariant 5: a failure has its error, and its alarm. */
export function failuresAreReported({ rows, moments }: World): Violation[] {
  const alarmed = new Set<string>();
  for (const moment of moments) {
    if (moment.kind === "published" && moment.topic === "alarms") {
      moment.eventIds.forEach((eventId) => alarmed.add(eventId));
    }
  }
  const unexplained: string[] = [];
  const unalarmed: string[] = [];
  for (const row of rows) {
    if (row.event_status !== "failed") {
      continue;
    }
    if (!row.last_error || !row.failed_from) {
      unexplained.push(row.event_id);
    }
    if (!alarmed.has(row.event_id) && row.no_alarm !== true) {
      unalarmed.push(row.event_id);
    }
  }
  return [
    ...violation(5, "failed events without last_error or failed_from", unexplained),
    ...violation(5, "failed events without an alarm", unalarmed),
  ];
}
