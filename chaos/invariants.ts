import { type EventStatus, type FileEvent, START_STATUSES } from "../events/event";
import { isTransition } from "../events/transitions";
import { duplicatesOf } from "./duplicates";
import type { Image, Moment, Topic, World } from "./world";

/** The invariants that a chaos run checks, by their numbers in docs/architecture.md. */
const INVARIANTS = {
  1: "an object that S3 accepted gets exactly one row, however often and in whatever order its events arrive",
  2: "a status never goes backwards, except by an explicit retry",
  3: "a stream Lambda is invoked only for rows in its own status, never by its own writes",
  4: "every event that is not failed reaches notified, and a mail reports it; a mail is duplicated only by a crash or a lost answer between the publish and the status write",
  5: "one bad record never delays its neighbours, and is never dropped: it ends as failed with its error, or in the dead-letter queue",
} as const;

/** Checks that have no number. */
const STATS_ARE_EXACT = "GET /stats equals a full count";
const INDEX_IS_EXACT = "time-index has exactly the rows of the table";

/** A broken invariant. */
export interface Violation {
  /** Number and text of the invariant. */
  invariant: string;
  message: string;
  /** Event ids, each with details in parentheses; object keys where there is no event. */
  eventIds: string[];
}

function violation(
  invariant: keyof typeof INVARIANTS | typeof STATS_ARE_EXACT | typeof INDEX_IS_EXACT,
  message: string,
  eventIds: string[],
): Violation[] {
  const name =
    typeof invariant === "number" ? `${invariant} (${INVARIANTS[invariant]})` : invariant;
  return eventIds.length === 0 ? [] : [{ invariant: name, message, eventIds }];
}

function placeOf({ bucket, key }: { bucket: string; key: string }): string {
  return JSON.stringify([bucket, key]);
}

function rowsByPlace(rows: FileEvent[]): Map<string, FileEvent[]> {
  return Map.groupBy(rows, ({ event_info: { Bucket, Key } }) =>
    placeOf({ bucket: Bucket, key: Key }),
  );
}

function idsOf(rows: FileEvent[]): string[] {
  return rows.map(({ event_id }) => event_id);
}

function oneRowForEachObject({ objects, rows }: World): Violation[] {
  const byPlace = rowsByPlace(rows);
  const places = new Set(objects.map(placeOf));
  const missing = objects.filter((object) => !byPlace.has(placeOf(object)));
  const several = [...byPlace.values()].filter((found) => found.length > 1).flat();
  const orphans = [...byPlace].filter(([place]) => !places.has(place)).flatMap(([, row]) => row);
  const wrongSize = objects.flatMap((object) =>
    (byPlace.get(placeOf(object)) ?? []).filter(
      ({ event_info }) => event_info.Size !== object.size,
    ),
  );
  return [
    ...violation(
      1,
      "objects without a row",
      missing.map(({ key }) => key),
    ),
    ...violation(1, "objects with more than one row", idsOf(several)),
    ...violation(1, "rows without an object", idsOf(orphans)),
    ...violation(1, "rows with another size than the object", idsOf(wrongSize)),
  ];
}

function answersAreTrue({ objects, rows, outcomes }: World): Violation[] {
  const places = new Set(objects.map(placeOf));
  const byId = new Map(rows.map((row) => [row.event_id, row]));
  const answers = outcomes.flatMap(({ answer }) => answer ?? []);
  const counts = Map.groupBy(answers, ({ event_id }) => event_id);
  return [
    ...violation(
      1,
      "uploads answered with 201, without the object",
      answers.filter((answer) => !places.has(placeOf(answer))).map(({ event_id }) => event_id),
    ),
    ...violation(
      1,
      "uploads answered with 201, without a row of the answer's event_id for the object",
      answers
        .filter(({ event_id, key }) => byId.get(event_id)?.event_info.Key !== key)
        .map(({ event_id }) => event_id),
    ),
    ...violation(
      1,
      "event_ids of more than one upload",
      [...counts].filter(([, same]) => same.length > 1).map(([eventId]) => eventId),
    ),
  ];
}

function statusGoesForward({ moments, rows }: World): Violation[] {
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
  const unseen = rows.filter(
    ({ event_id, event_status }) => current.get(event_id) !== event_status,
  );
  return [
    ...violation(2, "changes of status that are no transition", wrong),
    ...violation(2, "rows whose status is not the last one observed", idsOf(unseen)),
  ];
}

function isOwnStatus(functionName: string, { status, alarmed }: Image): boolean {
  if (functionName === "process") {
    return START_STATUSES.some((start) => start === status);
  }
  return status === "processed" || (status === "failed" && !alarmed);
}

function invokedForOwnStatus({ moments }: World): Violation[] {
  const wrong = moments.flatMap((moment) =>
    moment.kind === "invoked"
      ? moment.images
          .filter((image) => !isOwnStatus(moment.functionName, image))
          .map(({ eventId, status }) => `${eventId} (${moment.functionName} for ${status})`)
      : [],
  );
  return violation(3, "invocations for other rows", wrong);
}

function everyEventFinishes({ rows }: World): Violation[] {
  const unfinished = rows.filter(
    ({ event_status }) => event_status !== "notified" && event_status !== "failed",
  );
  return violation(
    4,
    "events that are not finished",
    unfinished.map(({ event_id, event_status }) => `${event_id} (${event_status})`),
  );
}

function publishedIds(moments: Moment[], topic: Topic): Set<string> {
  return new Set(
    moments.flatMap((moment) =>
      moment.kind === "published" && moment.topic === topic ? moment.eventIds : [],
    ),
  );
}

function notifiedArePublished({ rows, moments }: World): Violation[] {
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
  const unpublished = rows.filter(
    ({ event_id, event_status }) => event_status === "notified" && !published.has(event_id),
  );
  return [
    ...violation(4, "notified events without a mail", idsOf(unpublished)),
    ...violation(4, "events that were notified before the publish", early),
  ];
}

function duplicatesHaveCauses({ moments }: World): Violation[] {
  const unexplained = duplicatesOf(moments).filter(({ cause }) => cause === "none");
  return violation(
    4,
    "events that were published again without a fault",
    unexplained.map(({ eventId, topic }) => `${eventId} (${topic})`),
  );
}

function failuresAreReported({ rows, moments }: World): Violation[] {
  const failed = rows.filter(({ event_status }) => event_status === "failed");
  const alarming = failed.filter(({ no_alarm }) => no_alarm !== true);
  const published = publishedIds(moments, "alarms");
  return [
    ...violation(
      5,
      "failed events without last_error or failed_from",
      idsOf(failed.filter(({ last_error, failed_from }) => !last_error || !failed_from)),
    ),
    ...violation(
      5,
      "failed events without an alarm",
      idsOf(alarming.filter(({ event_id }) => !published.has(event_id))),
    ),
  ];
}

/** Whether a dead letter is an S3 event, whose rows the sweeper writes. */
export function isS3Event(deadLetter: unknown): boolean {
  const { requestPayload } = (deadLetter ?? {}) as {
    requestPayload?: { Records?: { s3?: unknown }[] };
  };
  return requestPayload?.Records?.some(({ s3 }) => s3 !== undefined) ?? false;
}

function deadLettersAreProcessed({ deadLetters }: World): Violation[] {
  return violation(
    5,
    "dead letters with an S3 event that remain in the queue",
    deadLetters.filter(isS3Event).map((letter) => JSON.stringify(letter)),
  );
}

function statsAreExact({ rows, stats }: World): Violation[] {
  const statuses = new Set([...Object.keys(stats), ...rows.map((row) => row.event_status)]);
  return [...statuses].flatMap((status) => {
    const { [status]: count = 0 } = stats;
    const stored = rows.filter(({ event_status }) => event_status === status);
    return violation(
      STATS_ARE_EXACT,
      `${status}: ${count} by /stats, ${stored.length} by a scan`,
      count === stored.length ? [] : [status],
    );
  });
}

const CHECKS = [
  oneRowForEachObject,
  answersAreTrue,
  statusGoesForward,
  invokedForOwnStatus,
  everyEventFinishes,
  notifiedArePublished,
  duplicatesHaveCauses,
  failuresAreReported,
  deadLettersAreProcessed,
  statsAreExact,
];

/** The violations of a run, in the order of the invariants. */
export function violationsOf(world: World): Violation[] {
  return CHECKS.flatMap((check) => check(world));
}

/** The violations of a run that was not observed, and in which no event may fail. */
export function violationsOfFinalState(world: Omit<World, "moments">): Violation[] {
  const unobserved = { ...world, moments: [] };
  const failed = world.rows.filter(({ event_status }) => event_status === "failed");
  return [
    ...oneRowForEachObject(unobserved),
    ...answersAreTrue(unobserved),
    ...everyEventFinishes(unobserved),
    ...statsAreExact(unobserved),
    ...violation(4, "events that failed", idsOf(failed)),
  ];
}

/** The violations of a table and its index, each a list of items in DynamoDB's JSON. */
export function violationsOfIndex({
  rows,
  indexed,
}: Record<"rows" | "indexed", Record<string, Record<string, unknown>>[]>): Violation[] {
  const without = (some: typeof rows, others: typeof rows): string[] => {
    const texts = new Set(others.map(textOf));
    return some
      .filter((item) => !texts.has(textOf(item)))
      .map((item) => `${String(item.event_id?.S)} (${String(item.event_status?.S)})`);
  };
  return [
    ...violation(INDEX_IS_EXACT, "entries without their row", without(indexed, rows)),
    ...violation(INDEX_IS_EXACT, "rows without their entry", without(rows, indexed)),
  ];
}

function textOf(item: object): string {
  return JSON.stringify(Object.entries(item).sort());
}
