import { expect } from "chai";
import type { UploadOutcome } from "../../chaos/clients/client";
import { duplicatesOf } from "../../chaos/invariants/duplicates";
import {
  givenUpEvents,
  isS3Event,
  violationsOf,
  violationsOfFinalState,
} from "../../chaos/invariants/invariants";
import { violationsOfIndex } from "../../chaos/invariants/totals";
import type { Moment, StoredObject, World } from "../../chaos/world";
import type { EventStatus, FileEvent } from "../../events/event";
import { newUpload, UPLOAD_PREFIX } from "../../events/identity";

const BUCKET = "bucket";

/** A world whose lists can be changed. */
interface ListedWorld extends World {
  objects: StoredObject[];
  rows: FileEvent[];
  moments: Moment[];
  outcomes: UploadOutcome[];
}

function row(eventId: string, event_status: EventStatus = "notified"): FileEvent {
  return {
    event_id: eventId,
    event_timestamp: "2026-11-21T00:00:00.000Z",
    event_status,
    event_info: { Bucket: BUCKET, Key: `key of ${eventId}`, Size: 3, ETag: "e1" },
    event_result: { size: 3, type: "text/plain", checksum: "s1", checksum_algorithm: "SHA256" },
    updated_at: "2026-11-21T00:00:00.000Z",
  };
}

function failedRow(eventId: string): FileEvent {
  return {
    ...row(eventId, "failed"),
    failed_from: "created",
    last_error: { code: "NoSuchKey", message: "It is gone.", step: "process" },
  };
}

function status(eventId: string, ...steps: EventStatus[]): Moment[] {
  return steps.map((to) => ({ kind: "status", eventId, to }));
}

function published(messageId: string, ...eventIds: string[]): Moment {
  return { kind: "published", topic: "notices", messageId, eventIds };
}

function acknowledged(messageId: string): Moment {
  return { kind: "acknowledged", messageId };
}

function alarmed(messageId: string, ...eventIds: string[]): Moment {
  return { kind: "published", topic: "alarms", messageId, eventIds };
}

function died(functionName: string): Moment {
  return { kind: "died", functionName, outcome: "crash" };
}

function invoked(functionName: string, image: { status: string; alarmed?: boolean }): Moment {
  return { kind: "invoked", functionName, images: [{ eventId: "a", alarmed: false, ...image }] };
}

function answer(eventId: string) {
  return { event_id: eventId, bucket: BUCKET, key: `key of ${eventId}` };
}

function object(id: string): StoredObject {
  return { key: `key of ${id}`, size: 3, eTag: "e1", sha256: "s1" };
}

/** A world without violations: `a` was notified, `b` has failed. */
function goodWorld(): ListedWorld {
  return {
    objects: ["a", "b"].map(object),
    rows: [row("a"), failedRow("b")],
    moments: [
      ...status("a", "uploaded", "processed"),
      ...status("b", "created", "failed"),
      published("m1", "a"),
      acknowledged("m1"),
      alarmed("m2", "b"),
      acknowledged("m2"),
      ...status("a", "notified"),
    ],
    outcomes: [{ upload: { index: 0, way: "api", name: "a" }, tries: 1, answer: answer("a") }],
    deadLetters: [],
    stats: { notified: 1, failed: 1 },
  };
}

/** The first violation of a world: number, message, event ids. */
function firstBroken(change: (world: ListedWorld) => void): string {
  const world = goodWorld();
  change(world);
  const [first] = violationsOf(world);
  return first ? `${first.invariant[0] ?? ""}: ${first.message}: ${first.eventIds.join()}` : "";
}

describe("the invariants of a chaos run", () => {
  it("hold where every object has one row that was published", () => {
    expect(violationsOf(goodWorld())).to.deep.equal([]);
  });

  const broken: [string, (world: ListedWorld) => void, RegExp][] = [
    ["an object without a row", (w) => w.objects.push({ ...object("c") }), /^1: .*key of c$/],
    [
      "two rows for one object",
      (w) => w.rows.push({ ...row("c"), event_info: { Bucket: BUCKET, Key: "key of a" } }),
      /^1: .*more than one row: a,c$/,
    ],
    ["a row without an object", (w) => w.rows.push(row("c")), /^1: .*without an object: c$/],
    [
      "a row with another size",
      (w) => (w.objects[0] = { ...object("a"), size: 4 }),
      /^1: .*another size.*: a$/,
    ],
    [
      "an answer without its object",
      (w) => w.outcomes.push({ ...outcome(), answer: answer("c") }),
      /^1: .*201, without the object: c$/,
    ],
    [
      "an answer whose event_id has another row",
      (w) => (w.outcomes[0] = { ...outcome(), answer: { ...answer("a"), event_id: "b" } }),
      /^1: .*without a row of the answer's event_id.*: b$/,
    ],
    [
      "two uploads with one event_id",
      (w) => w.outcomes.push({ ...outcome(), answer: answer("a") }),
      /^1: .*more than one upload: a$/,
    ],
    [
      "a status that goes backwards",
      (w) => w.moments.push(...status("a", "processed", "notified")),
      /^2: .*notified -> processed/,
    ],
    ["a status that skips one", (w) => w.moments.splice(1, 1), /^2: .*uploaded -> notified/],
    [
      "a failure undone without a retry",
      (w) => w.moments.push(...status("b", "created")),
      /^2: .*failed -> created/,
    ],
    ["a row with an unobserved status", leaveUnwritten, /^2: .*not the last one observed: c$/],
    [
      "process invoked for its own write",
      (w) => w.moments.push(invoked("process", { status: "processed" })),
      /^3: .*process for processed/,
    ],
    [
      "notify invoked for a failure that was published",
      (w) => w.moments.push(invoked("notify", { status: "failed", alarmed: true })),
      /^3: .*notify for failed/,
    ],
    ["an unfinished event", stick, /^4: .*not finished: a \(processed\)$/],
    ["a notified event without a mail", (w) => w.moments.splice(4, 1), /^4: .*without a mail: a$/],
    [
      "a status written before the publish",
      (w) => w.moments.push(...w.moments.splice(4, 1)),
      /^4: .*before the publish: a$/,
    ],
    [
      "an event published twice without a fault",
      (w) => w.moments.push(published("m3", "a"), acknowledged("m3")),
      /^4: .*: a \(notices\)$/,
    ],
    [
      "an event published twice after another Lambda's crash",
      (w) => w.moments.push(died("process"), published("m3", "a")),
      /^4: .*: a \(notices\)$/,
    ],
    [
      "a failure without its error",
      (w) => (w.rows[1] = { ...failedRow("b"), last_error: undefined }),
      /^5: .*without last_error.*: b$/,
    ],
    [
      "a failure without an alarm",
      (w) => w.moments.splice(6, 1, published("m2", "b")),
      /^5: .*without an alarm: b$/,
    ],
    [
      "an S3 event in the dead-letter queue",
      (w) => w.deadLetters.push({ requestPayload: { Records: [{ s3: {} }] } }),
      /^5: .*remain/,
    ],
    [
      "a write of a key without a row",
      (w) => w.moments.push(stored("a", "e1"), stored("a", "e2")),
      /^1: .*key of a \(1 rows for 2 writes\)$/,
    ],
    [
      "a notified row with other bytes' checksum",
      (w) => (w.objects[0] = { ...object("a"), sha256: "s2" }),
      /^9: .*not that of the stored bytes: a \(s1\)$/,
    ],
    [
      "a row of a replaced write with the later write's checksum",
      (w) => {
        overwrite(w);
        w.rows[0] = withSum(row("a"), "s2");
      },
      /^9: .*another write's checksum: a \(s2\)$/,
    ],
    [
      "a last write that failed as replaced",
      (w) => (w.rows[1] = replaced(failedRow("b"))),
      /^9: .*are of the last write: b$/,
    ],
    [
      "a second write that was accepted",
      (w) => (w.outcomes[0] = { ...outcome(), answer: answer("a"), unrefused: ["200 "] }),
      /^9: .*not refused: a \(200 \)$/,
    ],
    [
      "a deleted event that has a row",
      (w) => {
        w.outcomes[0] = { ...outcome(), answer: answer("a"), isDeleted: true };
        w.objects.shift();
      },
      /^1: .*without an object: a$/,
    ],
    [
      "a deleted event whose object came back",
      (w) => {
        w.outcomes[0] = { ...outcome(), answer: answer("a"), isDeleted: true };
        w.rows.shift();
      },
      /^9: .*came back: a \(object\)$/,
    ],
    [
      "an object under a handed-out key without its event",
      (w) => {
        const { object_key: key } = newUpload(UPLOAD_PREFIX, "x");
        w.objects.push({ ...object("c"), key });
        w.rows.push({ ...row("c"), event_info: { Bucket: BUCKET, Key: key, Size: 3, ETag: "e1" } });
        w.moments.push(...status("c", "created", "processed"), published("m3", "c"));
        w.moments.push(acknowledged("m3"), ...status("c", "notified"));
        w.stats = { notified: 2, failed: 1 };
      },
      /^9: .*without their event: uploads/,
    ],
    [
      "a wrong count",
      (w) => (w.stats = { notified: 1, failed: 2 }),
      /^G: failed: 2 by .stats, 1 by a scan: failed$/,
    ],
    [
      "a missing count",
      (w) => (w.stats = { notified: 1 }),
      /^G: failed: 0 by .stats, 1 by a scan: failed$/,
    ],
  ];

  function outcome(): UploadOutcome {
    return { upload: { index: 1, way: "api", name: "x" }, tries: 1 };
  }

  function stored(id: string, eTag: string): Moment {
    return { kind: "stored", key: `key of ${id}`, eTag, size: 3 };
  }

  function withSum(event: FileEvent, checksum: string): FileEvent {
    return { ...event, event_result: { size: 3, type: "text/plain", checksum } };
  }

  function replaced(event: FileEvent): FileEvent {
    const error = { code: "ObjectReplaced", message: "It was replaced.", step: "process" };
    return { ...event, last_error: error, no_alarm: true };
  }

  /** The key of `a` is written again, which is the event `c`. */
  function overwrite(world: ListedWorld): void {
    const later = { ...withSum(row("c"), "s2") };
    later.event_info = { Bucket: BUCKET, Key: "key of a", Size: 3, ETag: "e2" };
    world.objects[0] = { ...object("a"), eTag: "e2", sha256: "s2" };
    world.rows.push(later);
    world.moments.push(stored("a", "e1"), stored("a", "e2"), ...status("c", "created"));
    world.moments.push(...status("c", "processed"), published("m3", "c"), acknowledged("m3"));
    world.moments.push(...status("c", "notified"));
    const writes = [1, 2].map((write) => ({ eTag: `e${write}`, sha256: `s${write}` }));
    world.outcomes = [{ upload: { index: 1, way: "direct", name: "key of a" }, tries: 1, writes }];
    world.stats = { notified: 2, failed: 1 };
  }

  function leaveUnwritten(world: ListedWorld): void {
    world.moments.push(...status("c", "created"));
    world.objects.push(object("c"));
    world.rows.push(failedRow("c"));
  }

  function stick(world: ListedWorld): void {
    world.rows[0] = row("a", "processed");
    world.moments.pop();
  }

  for (const [what, change, expected] of broken) {
    it(`break by ${what}`, () => {
      expect(firstBroken(change)).to.match(expected);
    });
  }

  it("allow a replaced write that was processed before, or failed as replaced without an alarm", () => {
    const world = goodWorld();
    overwrite(world);
    expect(violationsOf(world)).to.deep.equal([]);

    const [, failed] = world.rows;
    const late = replaced({
      ...failedRow("a"),
      event_info: world.rows[0]?.event_info ?? row("a").event_info,
    });
    world.rows = [late, ...world.rows.slice(1)];
    world.moments = world.moments.filter(
      (moment) =>
        !(moment.kind === "status" && moment.eventId === "a") &&
        !(moment.kind === "published" && moment.messageId === "m1"),
    );
    world.moments.push(...status("a", "created", "failed"));
    world.stats = { notified: 1, failed: 2 };
    expect(violationsOf(world)).to.deep.equal([]);
    expect(givenUpEvents(world)).to.deep.equal([`${failed?.event_id ?? ""} (process NoSuchKey)`]);
  });

  it("allow a deleted event without row and object", () => {
    expect(
      firstBroken((world) => {
        world.outcomes[0] = {
          ...world.outcomes[0],
          upload: { index: 0, way: "signed", name: "a" },
          tries: 1,
          answer: answer("a"),
          isDeleted: true,
          lateWrites: 1,
        };
        world.moments.push(stored("a", "e1"));
        world.objects.shift();
        world.rows.shift();
        world.stats = { failed: 1 };
      }),
    ).to.equal("");
  });

  it("allow a second mail after notify died between publish and status write", () => {
    const { moments } = goodWorld();
    moments.splice(5, 1, died("notify"), published("m3", "a"));

    expect(duplicatesOf(moments)).to.deep.equal([
      { eventId: "a", topic: "notices", cause: "crash" },
    ]);
    expect(firstBroken((world) => void (world.moments = moments))).to.equal("");
  });

  it("allow a second mail after a lost answer, with its own cause", () => {
    const { moments } = goodWorld();
    moments.splice(5, 1, published("m3", "a"), acknowledged("m3"));

    expect(duplicatesOf(moments)).to.deep.equal([
      { eventId: "a", topic: "notices", cause: "lost answer" },
    ]);
    expect(firstBroken((world) => void (world.moments = moments))).to.equal("");
  });

  it("distinguish S3 events in the dead-letter queue from stream batches", () => {
    expect(isS3Event({ requestPayload: { Records: [{ s3: {} }] } })).to.equal(true);
    expect(isS3Event({ requestPayload: {}, DDBStreamBatchInfo: {} })).to.equal(false);
    expect(isS3Event(undefined)).to.equal(false);
  });

  it("allow no failed event in a run that was killed", () => {
    expect(violationsOfFinalState(goodWorld())[0]?.message).to.equal("events that failed");
    const rows = [row("a"), row("b")];
    const world = { ...goodWorld(), rows, stats: { notified: 2, failed: 0 } };
    expect(violationsOfFinalState(world)).to.deep.equal([]);
  });

  it("find index entries without their row, and rows without their entry", () => {
    const item = (id: string, eventStatus: string) => ({
      event_id: { S: id },
      event_status: { S: eventStatus },
    });
    const rows = [item("a", "processed"), item("b", "created")];

    expect(violationsOfIndex({ rows, indexed: [...rows].reverse() })).to.deep.equal([]);
    expect(
      violationsOfIndex({ rows, indexed: [item("a", "created"), item("b", "created")] }).map(
        ({ message, eventIds }) => [message, eventIds],
      ),
    ).to.deep.equal([
      ["entries without their row", ["a (created)"]],
      ["rows without their entry", ["a (processed)"]],
    ]);
  });
});
