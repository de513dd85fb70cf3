import type { World } from "../world";
import { type Violation, violation } from "./violation";

/** The writes and rows of one key. */
interface Place {
  isStored: boolean;
  /** Writes that S3 accepted. */
  writes: number;
  /** Rows that are expected for them. */
  expected: number;
  rows: string[];
}

function placesOf({ objects, rows, moments, outcomes }: World): Map<string, Place> {
  const places = new Map<string, Place>();
  const placeOf = (key: string): Place => {
    const place = places.get(key) ?? { isStored: false, writes: 0, expected: 0, rows: [] };
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
  for (const { event_id, event_info } of rows) {
    placeOf(event_info.Key).rows.push(event_id);
  }
  return places;
}

/** Invariant 1, by keys: every write has its row, and every row its object. */
export function oneRowForEachWrite(world: World): Violation[] {
  const missing: string[] = [];
  const several: string[] = [];
  const orphans: string[] = [];
  for (const [key, { isStored, expected, rows }] of placesOf(world)) {
    if (rows.length < expected) {
      missing.push(expected === 1 ? key : `${key} (${rows.length} rows for ${expected} writes)`);
    }
    if (expected > 0 && rows.length > expected) {
      several.push(...rows);
    }
    if (!isStored) {
      orphans.push(...rows);
    }
  }
  return [
    ...violation(1, "objects without a row", missing),
    ...violation(1, "objects with more than one row", several),
    ...violation(1, "rows without an object", orphans),
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

/** Invariant 1, by answers: what a client was told is true. */
export function answersAreTrue({ objects, rows, outcomes }: World): Violation[] {
  const keyOfEvent = new Map<string, string>();
  for (const { event_id, event_info } of rows) {
    keyOfEvent.set(event_id, event_info.Key);
  }
  const keys = new Set<string>();
  for (const { key } of objects) {
    keys.add(key);
  }
  const answered = new Set<string>();
  const withoutObject: string[] = [];
  const withoutRow: string[] = [];
  const repeated: string[] = [];
  for (const { answer, isDeleted } of outcomes) {
    if (!answer) {
      continue;
    }
    const { event_id, key } = answer;
    if (answered.has(event_id)) {
      repeated.push(event_id);
    }
    answered.add(event_id);
    if (isDeleted) {
      continue;
    }
    if (!keys.has(key)) {
      withoutObject.push(event_id);
    }
    if (keyOfEvent.get(event_id) !== key) {
      withoutRow.push(event_id);
    }
  }
  return [
    ...violation(1, "uploads answered with 201, without the object", withoutObject),
    ...violation(
      1,
      "uploads answered with 201, without a row of the answer's event_id for the object",
      withoutRow,
    ),
    ...violation(1, "event_ids of more than one upload", repeated),
  ];
}
