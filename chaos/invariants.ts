import { type EventStatus, type FileEvent, START_STATUSES } from "../events/event";
import { isTransition } from "../events/transitions";
import type { UploadOutcome } from "./uploads";

/** What was observed of a run, in the order in which it happened. */
export type Moment =
  /** A row came into being, or its status changed. */
  | { kind: "status"; eventId: string; to: EventStatus }
  /** A message took effect: people were sent it. */
  | { kind: "told"; topic: Topic; messageId: string; eventIds: string[] }
  /** The Lambda that published a message learned that it had. */
  | { kind: "acknowledged"; messageId: string }
  /** A Lambda was given rows of the table. */
  | { kind: "invoked"; functionName: string; images: Image[] }
  /** A Lambda's process ended before its work did. */
  | { kind: "died"; functionName: string; outcome: string };

/** Where people read: of processed files, or of failures. */
export type Topic = "notices" | "alarms";

/** A row as a stream record shows it. */
export interface Image {
  eventId: string;
  status: string;
  /** Whether people had been told of its failure. */
  alarmed: boolean;
}

/** All that a run left behind. */
export interface World {
  /** The bucket's objects. */
  objects: { bucket: string; key: string; size: number }[];
  rows: FileEvent[];
  moments: Moment[];
  outcomes: UploadOutcome[];
  /** Bodies of the dead-letter queue's messages. */
  deadLetters: unknown[];
  /** What the manager's `GET /stats` says of the number of rows, by status. */
  stats: Record<string, number>;
}

/** A statement of DESIGN.md that does not hold. */
export interface Violation {
  /** By its number there, in words. */
  invariant: string;
  message: string;
  eventIds: string[];
}

/** One event that people were told of again. */
export interface Doubling {
  eventId: string;
  topic: Topic;
  /**
   * `crash`: the notify Lambda died between the two; `lost answer`: it never learned of the first,
   * for the answer did not come through; `none`: nothing explains it.
   */
  cause: "crash" | "lost answer" | "none";
}

function violation(invariant: string, message: string, eventIds: string[]): Violation[] {
  return eventIds.length === 0 ? [] : [{ invariant, message, eventIds }];
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
  const name = "1 (every object gets exactly one row)";
  const byPlace = rowsByPlace(rows);
  const places = new Set(objects.map(placeOf));
  const missing = objects.filter((object) => !byPlace.has(placeOf(object)));
  const several = [...byPlace.values()].filter((found) => found.length > 1).flat();
  const strangers = [...byPlace].filter(([place]) => !places.has(place)).flatMap(([, row]) => row);
  const wrongSize = objects.flatMap((object) =>
    (byPlace.get(placeOf(object)) ?? []).filter(
      ({ event_info }) => event_info.Size !== object.size,
    ),
  );
  return [
    ...violation(
      name,
      "objects without a row",
      missing.map(({ key }) => key),
    ),
    ...violation(name, "objects with more than one row", idsOf(several)),
    ...violation(name, "rows of objects that are not there", idsOf(strangers)),
    ...violation(name, "rows that give another size than the object has", idsOf(wrongSize)),
  ];
}

function answersHold({ objects, rows, outcomes }: World): Violation[] {
  const name = "1 (what the API answered is so)";
  const places = new Set(objects.map(placeOf));
  const byId = new Map(rows.map((row) => [row.event_id, row]));
  const answers = outcomes.flatMap(({ answer }) => answer ?? []);
  const counts = Map.groupBy(answers, ({ event_id }) => event_id);
  return [
    ...violation(
      name,
      "uploads answered with 201 whose object is not there",
      answers.filter((answer) => !places.has(placeOf(answer))).map(({ event_id }) => event_id),
    ),
    ...violation(
      name,
      "uploads answered with 201 without a row of that event_id for that object",
      answers
        .filter(({ event_id, key }) => byId.get(event_id)?.event_info.Key !== key)
        .map(({ event_id }) => event_id),
    ),
    ...violation(
      name,
      "event_ids given to more than one upload",
      [...counts].filter(([, same]) => same.length > 1).map(([eventId]) => eventId),
    ),
  ];
}

function statusGoesForward({ moments, rows }: World): Violation[] {
  const name = "2 (a status never goes backwards)";
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
    ...violation(name, "steps that are no transition", wrong),
    ...violation(name, "rows whose status is not the last one written", idsOf(unseen)),
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
  return violation(
    "3 (a Lambda is invoked for rows in its own status)",
    "invocations for other rows",
    wrong,
  );
}

function everyoneArrives({ rows }: World): Violation[] {
  const stuck = rows.filter(
    ({ event_status }) => event_status !== "notified" && event_status !== "failed",
  );
  return violation(
    "4 (every event reaches notified, or failed)",
    "events that are stuck",
    stuck.map(({ event_id, event_status }) => `${event_id} (${event_status})`),
  );
}

function toldOf(moments: Moment[], topic: Topic): Set<string> {
  return new Set(
    moments.flatMap((moment) =>
      moment.kind === "told" && moment.topic === topic ? moment.eventIds : [],
    ),
  );
}

function notifiedAreToldOf({ rows, moments }: World): Violation[] {
  const name = "4 (a mail tells of every notified event)";
  const told = new Set<string>();
  const early: string[] = [];
  for (const moment of moments) {
    if (moment.kind === "told" && moment.topic === "notices") {
      moment.eventIds.forEach((eventId) => told.add(eventId));
    }
    if (moment.kind === "status" && moment.to === "notified" && !told.has(moment.eventId)) {
      early.push(moment.eventId);
    }
  }
  const untold = rows.filter(
    ({ event_id, event_status }) => event_status === "notified" && !told.has(event_id),
  );
  return [
    ...violation(name, "notified events that no mail tells of", idsOf(untold)),
    ...violation(name, "events that were notified before the mail was out", early),
  ];
}

/** Every telling of an event after its first, with what explains it. */
export function doublingsOf(moments: Moment[]): Doubling[] {
  const acknowledged = new Set(
    moments.flatMap((moment) => (moment.kind === "acknowledged" ? [moment.messageId] : [])),
  );
  const doublings: Doubling[] = [];
  const last = new Map<string, { messageId: string; deaths: number }>();
  let deaths = 0;
  for (const moment of moments) {
    if (moment.kind === "died" && moment.functionName === "notify") {
      deaths += 1;
    }
    if (moment.kind !== "told") {
      continue;
    }
    const { topic, messageId, eventIds } = moment;
    for (const eventId of eventIds) {
      const before = last.get(`${topic} ${eventId}`);
      if (before) {
        const heard = acknowledged.has(before.messageId);
        const cause = deaths > before.deaths ? "crash" : heard ? "none" : "lost answer";
        doublings.push({ eventId, topic, cause });
      }
      last.set(`${topic} ${eventId}`, { messageId, deaths });
    }
  }
  return doublings;
}

function toldTwiceOnlyAfterFaults({ moments }: World): Violation[] {
  const unexplained = doublingsOf(moments).filter(({ cause }) => cause === "none");
  return violation(
    "4 (a mail is doubled only by a crash between publish and status write)",
    "events told of again without such a fault",
    unexplained.map(({ eventId, topic }) => `${eventId} (${topic})`),
  );
}

function failuresAreKnown({ rows, moments }: World): Violation[] {
  const name = "5 (what fails ends as failed, with its error, where people see it)";
  const failed = rows.filter(({ event_status }) => event_status === "failed");
  const told = toldOf(moments, "alarms");
  return [
    ...violation(
      name,
      "failed events without last_error or failed_from",
      idsOf(failed.filter(({ last_error, failed_from }) => !last_error || !failed_from)),
    ),
    ...violation(
      name,
      "failed events that no alarm tells of",
      idsOf(failed.filter(({ event_id }) => !told.has(event_id))),
    ),
  ];
}

/** Whether a dead letter carries an S3 event, whose row the sweeper writes. */
export function carriesObjects(deadLetter: unknown): boolean {
  const { requestPayload } = (deadLetter ?? {}) as {
    requestPayload?: { Records?: { s3?: unknown }[] };
  };
  return requestPayload?.Records?.some(({ s3 }) => s3 !== undefined) ?? false;
}

function deadLettersAreTakenUp({ deadLetters }: World): Violation[] {
  return violation(
    "5 (a dead letter with an S3 event gets its row)",
    "dead letters that were left",
    deadLetters.filter(carriesObjects).map((letter) => JSON.stringify(letter)),
  );
}

function statsAreExact({ rows, stats }: World): Violation[] {
  const statuses = new Set([...Object.keys(stats), ...rows.map((row) => row.event_status)]);
  return [...statuses].flatMap((status) => {
    const { [status]: count = 0 } = stats;
    const there = rows.filter(({ event_status }) => event_status === status);
    return violation(
      "GET /stats agrees with a full count",
      `${status}: ${count} by /stats, ${there.length} by a scan`,
      count === there.length ? [] : [status],
    );
  });
}

const CHECKS = [
  oneRowForEachObject,
  answersHold,
  statusGoesForward,
  invokedForOwnStatus,
  everyoneArrives,
  notifiedAreToldOf,
  toldTwiceOnlyAfterFaults,
  failuresAreKnown,
  deadLettersAreTakenUp,
  statsAreExact,
];

/** Everything in which a run broke DESIGN.md's invariants, in their order; empty is good. */
export function brokenInvariants(world: World): Violation[] {
  return CHECKS.flatMap((check) => check(world));
}

/**
 * The same for a run of which only what it left is known, and in which nothing may fail.
 */
export function arrivedBroken(world: Omit<World, "moments">): Violation[] {
  const whole = { ...world, moments: [] };
  const failed = world.rows.filter(({ event_status }) => event_status === "failed");
  return [
    ...oneRowForEachObject(whole),
    ...answersHold(whole),
    ...everyoneArrives(whole),
    ...statsAreExact(whole),
    ...violation("4 (every event reaches notified)", "events that failed", idsOf(failed)),
  ];
}
