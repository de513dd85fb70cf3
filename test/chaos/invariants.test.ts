import { expect } from "chai";
import {
  arrivedBroken,
  brokenInvariants,
  carriesObjects,
  doublingsOf,
  type Moment,
  type World,
} from "../../chaos/invariants";
import type { EventStatus, FileEvent } from "../../events/event";
import type { UploadAnswer } from "../../handlers/upload/upload";

const BUCKET = "bucket";

function row(eventId: string, event_status: EventStatus = "notified"): FileEvent {
  return {
    event_id: eventId,
    event_timestamp: "2026-11-21T00:00:00.000Z",
    event_status,
    event_info: { Bucket: BUCKET, Key: `key of ${eventId}`, Size: 3 },
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

function told(messageId: string, ...eventIds: string[]): Moment {
  return { kind: "told", topic: "notices", messageId, eventIds };
}

function acknowledged(messageId: string): Moment {
  return { kind: "acknowledged", messageId };
}

function alarmed(messageId: string, ...eventIds: string[]): Moment {
  return { kind: "told", topic: "alarms", messageId, eventIds };
}

function died(functionName: string): Moment {
  return { kind: "died", functionName, outcome: "crash" };
}

function invoked(functionName: string, image: { status: string; alarmed?: boolean }): Moment {
  return { kind: "invoked", functionName, images: [{ eventId: "a", alarmed: false, ...image }] };
}

function answer(eventId: string): UploadAnswer {
  return { event_id: eventId, bucket: BUCKET, key: `key of ${eventId}` } as UploadAnswer;
}

/** Where all is well: `a` was notified, `b` has failed. */
function goodWorld(): World {
  return {
    objects: ["a", "b"].map((id) => ({ bucket: BUCKET, key: `key of ${id}`, size: 3 })),
    rows: [row("a"), failedRow("b")],
    moments: [
      ...status("a", "uploaded", "processed"),
      ...status("b", "created", "failed"),
      told("m1", "a"),
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

/** The first invariant that a world breaks, and for whom. */
function firstBroken(change: (world: World) => void): string {
  const world = goodWorld();
  change(world);
  const [first] = brokenInvariants(world);
  return first ? `${first.invariant[0] ?? ""}: ${first.message}: ${first.eventIds.join()}` : "";
}

describe("the invariants of a chaos run", () => {
  it("hold where every object has one row that was told of", () => {
    expect(brokenInvariants(goodWorld())).to.deep.equal([]);
  });

  const broken: [string, (world: World) => void, RegExp][] = [
    ["an object without a row", (w) => w.objects.push({ ...object("c") }), /^1: .*key of c$/],
    [
      "two rows for one object",
      (w) => w.rows.push({ ...row("c"), event_info: { Bucket: BUCKET, Key: "key of a", Size: 3 } }),
      /^1: .*more than one row: a,c$/,
    ],
    ["a row without an object", (w) => w.rows.push(row("c")), /^1: .*not there: c$/],
    [
      "a row that gives another size",
      (w) => (w.objects[0] = { ...object("a"), size: 4 }),
      /^1: .*another size.*: a$/,
    ],
    [
      "an answer whose object is not there",
      (w) => w.outcomes.push({ ...outcome(), answer: answer("c") }),
      /^1: .*201 whose object is not there: c$/,
    ],
    [
      "an answer whose event_id has another row",
      (w) => (w.outcomes[0] = { ...outcome(), answer: { ...answer("a"), event_id: "b" } }),
      /^1: .*without a row of that event_id.*: b$/,
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
    ["a row whose status nobody wrote", leaveUnwritten, /^2: .*not the last one written: c$/],
    [
      "process invoked for its own write",
      (w) => w.moments.push(invoked("process", { status: "processed" })),
      /^3: .*process for processed/,
    ],
    [
      "notify invoked for a failure that was told of",
      (w) => w.moments.push(invoked("notify", { status: "failed", alarmed: true })),
      /^3: .*notify for failed/,
    ],
    ["an event that is stuck", stick, /^4: .*stuck: a \(processed\)$/],
    [
      "a notified event that no mail tells of",
      (w) => w.moments.splice(4, 1),
      /^4: .*no mail tells of: a$/,
    ],
    [
      "a status written before the mail was out",
      (w) => w.moments.push(...w.moments.splice(4, 1)),
      /^4: .*before the mail was out: a$/,
    ],
    [
      "an event told of twice for no reason",
      (w) => w.moments.push(told("m3", "a"), acknowledged("m3")),
      /^4: .*: a \(notices\)$/,
    ],
    [
      "an event told of twice after another Lambda's crash",
      (w) => w.moments.push(died("process"), told("m3", "a")),
      /^4: .*: a \(notices\)$/,
    ],
    [
      "a failure without its error",
      (w) => (w.rows[1] = { ...failedRow("b"), last_error: undefined }),
      /^5: .*without last_error.*: b$/,
    ],
    [
      "a failure that no alarm tells of",
      (w) => w.moments.splice(6, 1, told("m2", "b")),
      /^5: .*no alarm tells of: b$/,
    ],
    [
      "a dead letter that was not taken up",
      (w) => w.deadLetters.push({ requestPayload: { Records: [{ s3: {} }] } }),
      /^5: .*left/,
    ],
    [
      "a count that is not what there is",
      (w) => (w.stats = { notified: 1, failed: 2 }),
      /^G: failed: 2 by .stats, 1 by a scan: failed$/,
    ],
    [
      "a status that is not counted at all",
      (w) => (w.stats = { notified: 1 }),
      /^G: failed: 0 by .stats, 1 by a scan: failed$/,
    ],
  ];

  function object(id: string) {
    return { bucket: BUCKET, key: `key of ${id}`, size: 3 };
  }

  function outcome(): World["outcomes"][number] {
    return { upload: { index: 1, way: "api", name: "x" }, tries: 1 };
  }

  function leaveUnwritten(world: World): void {
    world.moments.push(...status("c", "created"));
    world.objects.push(object("c"));
    world.rows.push(failedRow("c"));
  }

  function stick(world: World): void {
    world.rows[0] = row("a", "processed");
    world.moments.pop();
  }

  for (const [what, change, expected] of broken) {
    it(`break by ${what}`, () => {
      expect(firstBroken(change)).to.match(expected);
    });
  }

  it("allow a second mail after notify died between the mail and the status", () => {
    const { moments } = goodWorld();
    moments.splice(5, 1, died("notify"), told("m3", "a"));

    expect(doublingsOf(moments)).to.deep.equal([
      { eventId: "a", topic: "notices", cause: "crash" },
    ]);
    expect(firstBroken((world) => void (world.moments = moments))).to.equal("");
  });

  it("allow a second mail when the answer to the first was lost, and count it apart", () => {
    const { moments } = goodWorld();
    moments.splice(5, 1, told("m3", "a"), acknowledged("m3"));

    expect(doublingsOf(moments)).to.deep.equal([
      { eventId: "a", topic: "notices", cause: "lost answer" },
    ]);
    expect(firstBroken((world) => void (world.moments = moments))).to.equal("");
  });

  it("tell S3 events in the dead-letter queue from a stream's records", () => {
    expect(carriesObjects({ requestPayload: { Records: [{ s3: {} }] } })).to.equal(true);
    expect(carriesObjects({ requestPayload: {}, DDBStreamBatchInfo: {} })).to.equal(false);
    expect(carriesObjects(undefined)).to.equal(false);
  });

  it("let nothing fail in a run that was only killed", () => {
    expect(arrivedBroken(goodWorld())[0]?.message).to.equal("events that failed");
    const rows = [row("a"), row("b")];
    const world = { ...goodWorld(), rows, stats: { notified: 2, failed: 0 } };
    expect(arrivedBroken(world)).to.deep.equal([]);
  });
});
