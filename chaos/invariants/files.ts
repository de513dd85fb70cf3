import type { FileEvent } from "../../events/event";
import { parseUploadKey } from "../../events/identity";
import type { StoredObject, World } from "../world";
import { type Violation, violation } from "./violation";

/** Whether an event has failed because its object was replaced by a later write. */
export function isReplacement({ event_status, last_error }: FileEvent): boolean {
  return event_status === "failed" && last_error?.code === "ObjectReplaced";
}

type Stored = Pick<StoredObject, "eTag" | "sha256">;

function objectsByKey({ objects }: World): Map<string, Stored> {
  const stored = new Map<string, Stored>();
  for (const { key, eTag, sha256 } of objects) {
    stored.set(key, { eTag, sha256 });
  }
  return stored;
}

function nameOfWrite(key: string, eTag: string | undefined): string {
  return JSON.stringify([key, eTag]);
}

/** The checksums of writes to keys that were written several times. */
function repeatedWrites({ outcomes }: World): Map<string, string> {
  const sums = new Map<string, string>();
  for (const { upload, writes = [] } of outcomes) {
    for (const { eTag, sha256 } of writes) {
      sums.set(nameOfWrite(upload.name, eTag), sha256);
    }
  }
  return sums;
}

/** Invariant 9: a row describes the bytes that are stored, or those of its own, replaced write. */
export function rowsDescribeTheirBytes(world: World): Violation[] {
  const stored = objectsByKey(world);
  const written = repeatedWrites(world);
  const wrong: string[] = [];
  const replaced: string[] = [];
  const current: string[] = [];
  for (const row of world.rows) {
    const { event_id, event_status, event_info, event_result } = row;
    const { Key: key, ETag: eTag } = event_info;
    const object = stored.get(key);
    const own = written.get(nameOfWrite(key, eTag));
    const isLast = object !== undefined && (own === undefined || eTag === object.eTag);
    if (isLast && isReplacement(row)) {
      current.push(event_id);
    }
    if (event_status !== "notified") {
      continue;
    }
    const sha256 = isLast ? object.sha256 : own;
    if (sha256 !== undefined && event_result?.checksum !== sha256) {
      (isLast ? wrong : replaced).push(`${event_id} (${event_result?.checksum ?? "none"})`);
    }
  }
  return [
    ...violation(9, "notified rows whose checksum is not that of the stored bytes", wrong),
    ...violation(9, "notified rows of a replaced write with another write's checksum", replaced),
    ...violation(9, "rows that failed as replaced, and are of the last write", current),
  ];
}

/** Invariant 9: nothing is written twice, or comes back, where the program hands out keys. */
export function handedOutKeysAreWrittenOnce({ objects, rows, outcomes }: World): Violation[] {
  const events = new Set<string>();
  for (const { event_id } of rows) {
    events.add(event_id);
  }
  const strangers: string[] = [];
  const keys = new Set<string>();
  for (const { key } of objects) {
    keys.add(key);
    const identity = parseUploadKey(key);
    if (identity && !events.has(identity.event_id)) {
      strangers.push(key);
    }
  }
  const accepted: string[] = [];
  const returned: string[] = [];
  for (const { answer, isDeleted, unrefused = [] } of outcomes) {
    if (!answer) {
      continue;
    }
    const { event_id, key } = answer;
    accepted.push(...unrefused.map((reply) => `${event_id} (${reply})`));
    if (isDeleted && (keys.has(key) || events.has(event_id))) {
      returned.push(`${event_id} (${keys.has(key) ? "object" : "row"})`);
    }
  }
  return [
    ...violation(9, "second writes of a handed-out key that were not refused", accepted),
    ...violation(9, "deleted events that came back", returned),
    ...violation(9, "objects under a handed-out key without their event", strangers),
  ];
}
