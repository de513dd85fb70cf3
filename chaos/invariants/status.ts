import { type EventStatus, START_STATUSES } from "../../events/event";
import { isTransition } from "../../events/transitions";
import type { Image, World } from "../world";
import { type Violation, violation } from "./violation";

/** Invariant 2. */
export function statusGoesForward({ moments, rows }: World): Violation[] {
  const current = new Map<string, EventStatus>();
  const wrong: string[] = [];
  for (const moment of moments) {
    if (moment.kind !== "status") {
      continue;
    }
    const { eventId, to } = moment;
    const from = current.get(eventId);
    const starts = START_STATUSES.some((status) => status === to);
    if (from === undefined ? !starts : !isTransition(from, to)) {
      wrong.push(`${eventId} (${from ?? "no row"} -> ${to})`);
    }
    current.set(eventId, to);
  }
  const unseen: string[] = [];
  for (const { event_id, event_status } of rows) {
    if (current.get(event_id) !== event_status) {
      unseen.push(event_id);
    }
  }
  return [
    ...violation(2, "changes of status that are no transition", wrong),
    ...violation(2, "rows whose status is not the last one observed", unseen),
  ];
}

function isOwnStatus(functionName: string, { status, alarmed }: Image): boolean {
  if (functionName === "process") {
    return START_STATUSES.some((start) => start === status);
  }
  return status === "processed" || (status === "failed" && !alarmed);
}

/** Invariant 3. */
export function invokedForOwnStatus({ moments }: World): Violation[] {
  const wrong: string[] = [];
  for (const moment of moments) {
    if (moment.kind !== "invoked") {
      continue;
    }
    for (const image of moment.images) {
      if (!isOwnStatus(moment.functionName, image)) {
        wrong.push(`${image.eventId} (${moment.functionName} for ${image.status})`);
      }
    }
  }
  return violation(3, "invocations for other rows", wrong);
}
