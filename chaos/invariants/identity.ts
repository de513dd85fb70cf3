import type { Answer } from "../clients/client";
import type { World } from "../world";
import { type Violation, violation } from "./violation";

/** The writes and rows of one key. */
interface Place {
  isStored: boolean;
  /** Writes that S3 accepted. */
  writes: number;
  /** Rows that are expected for them. */
  expected: number;
  /** How many: their ids, in lists, would take as much memory as the rest. */
  rows: number;
}

function placesOf({ objects, rows, moments, outcomes }: World): Map<string, Place> {
  const places = new Map<string, Place>();
  const placeOf = (key: string): Place => {
    const place = places.get(key) ?? { isStored: false, writes: 0, expected: 0, rows: 0 };
    places.set(key, place);
    return place;
  };
  for (const { key } of objects) {
    placeOf(key).isStored = true;
  }
  for (const moment of moments) {
    if (moment.kind === "stored") {
      placeOf(moment.key).writes += 1;
    }
  }
  for (const place of places.values()) {
    // A run that was not observed writes each key once.
    place.expected = Math.max(place.writes, place.isStored ? 1 : 0);
  }
  for (const { answer, isDeleted } of outcomes) {
    if (answer && isDeleted) {
      placeOf(answer.key).expected = 0;
    }
  }
  for (const { event_info } of rows) {
    placeOf(event_info.Key).rows += 1;
  }
  return places;
}

/** The keys whose writes and rows do not match. */
function wrongPlaces(world: World) {
  const missing: string[] = [];
  const several = new Set<string>();
  const orphaned = new Set<string>();
  for (const [key, { isStored, expected, rows }] of placesOf(world)) {
    if (rows < expected) {
      missing.push(expected === 1 ? key : `${key} (${rows} rows for ${expected} writes)`);
    }
    if (expected > 0 && rows > expected) {
      several.add(key);
    }
    if (!isStored && rows > 0) {
      orphaned.add(key);
    }
  }
  return { missing, several, orphaned };
}

function rowsOf({ rows }: World, keys: Set<string>): string[] {
  const eventIds: string[] = [];
  for (const { event_id, event_info } of keys.size > 0 ? rows : []) {
    if (keys.has(event_info.Key)) {
      eventIds.push(event_id);
    }
  }
  return eventIds;
}

/** Invariant 1, by keys: every write has its row, and every row its object. */
export function oneRowForEachWrite(world: World): Violation[] {
  const { missing, several, orphaned } = wrongPlaces(world);
  return [
    ...violation(1, "objects without a row", missing),
    ...violation(1, "objects with more than one row", rowsOf(world, several)),
    ...violation(1, "rows without an object", rowsOf(world, orphaned)),
    ...violation(1, "rows with another size than the object", wrongSizes(world)),
  ];
}

function wrongSizes({ objects, rows }: World): string[] {
  const stored = new Map<string, { size: number; eTag: string }>();
  for (const { key, size, eTag } of objects) {
    stored.set(key, { size, eTag });
  }
  const wrong: string[] = [];
  for (const { event_id, event_info } of rows) {
    const object = stored.get(event_info.Key);
    const isReplaced = event_info.ETag !== undefined && event_info.ETag !== object?.eTag;
    if (object && !isReplaced && event_info.Size !== object.size) {
      wrong.push(event_id);
    }
  }
  return wrong;
}

/** The answered events that have not been deleted by their client. */
function* kept({ outcomes }: World): Generator<Answer> {
  for (const { answer, isDeleted } of outcomes) {
    if (answer && !isDeleted) {
      yield answer;
    }
  }
}

function withoutObject(world: World): string[] {
  const keys = new Set<string>();
  for (const { key } of world.objects) {
    keys.add(key);
  }
  const eventIds: string[] = [];
  for (const { event_id, key } of kept(world)) {
    if (!keys.has(key)) {
      eventIds.push(event_id);
    }
  }
  return eventIds;
}

function withoutRow(world: World): string[] {
  const keyOfEvent = new Map<string, string>();
  for (const { event_id, event_info } of world.rows) {
    keyOfEvent.set(event_id, event_info.Key);
  }
  const eventIds: string[] = [];
  for (const { event_id, key } of kept(world)) {
    if (keyOfEvent.get(event_id) !== key) {
      eventIds.push(event_id);
    }
  }
  return eventIds;
}

function answeredAgain({ outcomes }: World): string[] {
  const answered = new Set<string>();
  const eventIds: string[] = [];
  for (const { answer } of outcomes) {
    if (!answer) {
      continue;
    }
    if (answered.has(answer.event_id)) {
      eventIds.push(answer.event_id);
    }
    answered.add(answer.event_id);
  }
  return eventIds;
}

/**
 * Invariant 1, by answers: what a client was told is true. One after the other, so that not all keys and ids
 * are in memory at the same time.
 */
export function answersAreTrue(world: World): Violation[] {
  return [
    ...violation(1, "uploads answered with 201, without the object", withoutObject(world)),
    ...violation(
      1,
      "uploads answered with 201, without a row of the answer's event_id for the object",
      withoutRow(world),
    ),
    ...violation(1, "event_ids of more than one upload", answeredAgain(world)),
  ];
}
