import { expect } from "chai";
import fc from "fast-check";
import type { EventKey, EventStatus } from "../../events/event";
import { type CreatedObject, objectIdentity, UPLOAD_PREFIX, uploadOf } from "../../events/identity";
import { predecessorsOf } from "../../events/transitions";
import { uuidv7At } from "./arbitraries";

/**
 * A model of the pipeline: the rules of `events/`, and the handlers' steps around them. A handler is
 * a generator that yields between two calls to AWS, each of which is atomic. fast-check drives a
 * scheduler, which picks the handler to continue, the delivery to start or repeat, and the handler
 * to crash, or to fail in spite of all its tries.
 */

const MAX_ATTEMPTS = 3;

/** Deliveries before one is given up; a bucket's event then goes to the dead-letter queue. */
const MAX_DELIVERIES = 2;

interface Row extends EventKey {
  status: EventStatus;
  attempts: number;
  failedFrom?: EventStatus;
  alarmed: boolean;
  /** Raised by each change that the stream delivers. */
  version: number;
}

/** A stored object; `fails`: processing it always fails. */
interface Stored extends CreatedObject {
  isUpload: boolean;
  /** Created long after the time in its key, as by a repeated request. */
  isLate: boolean;
  fails: boolean;
}

type Handler = Generator<undefined, void>;

interface Delivery {
  to: "record" | "process" | "notify";
  start: () => Handler;
  deliveries: number;
  /** Called after the last delivery. */
  givenUp: () => void;
}

const RANKS: Record<EventStatus, number> = {
  created: 0,
  uploaded: 0,
  processed: 1,
  notified: 2,
  failed: 3,
};

class Pipeline {
  readonly rows = new Map<string, Row>();
  readonly objects: Stored[] = [];
  readonly pending: Delivery[] = [];
  readonly running: { handler: Handler; delivery?: Delivery; upload?: Stored }[] = [];
  readonly deadLetters: Stored[] = [];
  readonly mails = new Map<string, number>();
  readonly alarms = new Map<string, number>();
  /** Crashes of notify after its publish and before its write, by row. */
  readonly duplicates = new Map<string, number>();
  /** What this notify environment remembers. */
  private published = new Set<string>();
  private readonly publishedUnwritten = new Set<string>();
  /** The versions of rows that these environments know to need nothing more. */
  private finished: Record<"process" | "notify", Set<string>> = {
    process: new Set(),
    notify: new Set(),
  };
  /** The sweeper's listing position. */
  private listedUpTo = "";

  /** Moves a row, if the rules let it: a conditional UpdateItem. */
  private advance(name: string, to: EventStatus, failedFrom?: EventStatus): void {
    const row = this.rows.get(name);
    if (!row || !predecessorsOf(to).includes(row.status)) {
      return;
    }
    if (failedFrom !== undefined && row.status !== failedFrom) {
      return;
    }
    expect(RANKS[to], `${row.status} -> ${to}`).to.be.greaterThan(RANKS[row.status]);
    row.failedFrom = failedFrom;
    row.status = to;
    this.changed(row);
  }

  /** A conditional PutItem. */
  private put(key: EventKey, status: EventStatus): void {
    const name = JSON.stringify(key);
    if (!this.rows.has(name)) {
      const row: Row = { ...key, status, attempts: 0, alarmed: false, version: 0 };
      this.rows.set(name, row);
      this.changed(row);
    }
  }

  /** The stream and its two filters. */
  private changed(row: Row): void {
    row.version += 1;
    const { event_id, event_timestamp, ...image } = row;
    const name = JSON.stringify({ event_id, event_timestamp });
    const deliver = (to: Delivery["to"], start: () => Handler) => {
      this.pending.push({ to, start, deliveries: 0, givenUp: () => undefined });
    };
    if (predecessorsOf("processed").includes(image.status)) {
      deliver("process", () => this.process(name, image));
    } else if (image.status === "processed" || (image.status === "failed" && !image.alarmed)) {
      deliver("notify", () => this.notify(name, image));
    }
  }

  *upload(object: Stored, identity: EventKey): Handler {
    this.store(object);
    yield;
    this.put(identity, "uploaded");
  }

  store(object: Stored): void {
    this.objects.push(object);
    this.pending.push({
      to: "record",
      start: () => this.record(object),
      deliveries: 0,
      givenUp: () => this.deadLetters.push(object),
    });
  }

  private *record(object: Stored): Handler {
    if (object.isUpload && !object.isLate) {
      return;
    }
    yield;
    this.put(objectIdentity(object), "created");
  }

  private *process(name: string, seen: Omit<Row, keyof EventKey>): Handler {
    const finished = this.finished.process;
    const version = `${name} ${seen.version}`;
    if (finished.has(version)) {
      return;
    }
    yield;
    const { fails } = this.objects.find((o) => JSON.stringify(objectIdentity(o)) === name) ?? {
      fails: true,
    };
    if (fails) {
      this.advance(name, "failed", seen.status);
    } else {
      this.advance(name, "processed");
    }
    finished.add(version);
  }

  private *notify(name: string, seen: Omit<Row, keyof EventKey>): Handler {
    const { published } = this;
    const finished = this.finished.notify;
    const version = `${name} ${seen.version}`;
    if (finished.has(version)) {
      return;
    }
    const book = seen.status === "failed" ? this.alarms : this.mails;
    const deduplicationKey = `${seen.status} ${name}`;
    if (!published.has(deduplicationKey)) {
      yield;
      const row = this.rows.get(name);
      if (row?.status !== seen.status || row.alarmed) {
        finished.add(version);
        return;
      }
      yield;
      book.set(name, (book.get(name) ?? 0) + 1);
      published.add(deduplicationKey);
      this.publishedUnwritten.add(deduplicationKey);
      yield;
    }
    if (seen.status === "processed") {
      this.advance(name, "notified");
    } else {
      const row = this.rows.get(name);
      if (row?.status === "failed") {
        row.alarmed = true;
      }
    }
    finished.add(version);
    this.publishedUnwritten.delete(deduplicationKey);
  }

  /** One run over all rows; the scheduler decides which are stuck. */
  *sweep(): Handler {
    for (const [name, row] of [...this.rows]) {
      const { status, attempts, alarmed } = row;
      const isOpen = predecessorsOf("failed").includes(status);
      if (!isOpen && (status !== "failed" || alarmed)) {
        continue;
      }
      yield;
      if (row.status !== status || row.attempts !== attempts || row.alarmed !== alarmed) {
        continue;
      }
      if (isOpen && attempts >= MAX_ATTEMPTS) {
        this.advance(name, "failed", status);
      } else {
        row.attempts += 1;
        this.changed(row);
      }
    }
    yield* this.sweepUnrecordedUploads();
    for (const object of [...this.deadLetters]) {
      yield;
      this.put(objectIdentity(object), "created");
      yield;
      // Another sweeper may have deleted the message.
      if (this.deadLetters.includes(object)) {
        this.deadLetters.splice(this.deadLetters.indexOf(object), 1);
      }
    }
  }

  /** Whether no running upload, except late ones, may still create this key or an older one. */
  private isSettled({ key }: Stored): boolean {
    return this.running.every(
      ({ upload }) => !upload || upload.isLate || upload.key > key || this.objects.includes(upload),
    );
  }

  private *sweepUnrecordedUploads(): Handler {
    const listed = this.objects
      .filter(({ isUpload, key }) => isUpload && key > this.listedUpTo)
      .filter((object) => this.isSettled(object))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
    for (const object of listed) {
      yield;
      this.put(objectIdentity(object), "created");
    }
    yield;
    const end = listed.at(-1)?.key ?? "";
    this.listedUpTo = end > this.listedUpTo ? end : this.listedUpTo;
  }

  /** A shard has one reader of each kind, which finishes or crashes before it continues. */
  private canStart({ to }: Delivery): boolean {
    return to !== "notify" || !this.running.some(({ delivery }) => delivery?.to === "notify");
  }

  start(pick: number, again: boolean): void {
    const ready = this.pending.filter((delivery) => this.canStart(delivery));
    const delivery = ready[pick % Math.max(1, ready.length)];
    if (!delivery) {
      return;
    }
    if (!again) {
      this.pending.splice(this.pending.indexOf(delivery), 1);
    }
    this.running.push({ handler: delivery.start(), delivery });
  }

  step(pick: number): void {
    const invocation = this.running[pick % Math.max(1, this.running.length)];
    if (invocation?.handler.next().done) {
      this.running.splice(this.running.indexOf(invocation), 1);
    }
  }

  crash(pick: number): void {
    const [invocation] = this.running.splice(pick % Math.max(1, this.running.length), 1);
    const delivery = invocation?.delivery;
    if (!delivery) {
      return;
    }
    if (delivery.to === "notify") {
      for (const unwritten of this.publishedUnwritten) {
        this.duplicates.set(unwritten, (this.duplicates.get(unwritten) ?? 0) + 1);
      }
      this.publishedUnwritten.clear();
      this.published = new Set();
    }
    if (delivery.to !== "record") {
      this.finished[delivery.to] = new Set();
    }
    delivery.deliveries += 1;
    if (delivery.deliveries < MAX_DELIVERIES) {
      this.pending.push(delivery);
    } else {
      delivery.givenUp();
    }
  }

  /**
   * Ends a handler of the stream whose calls fail, while its environment lives on. Its record is left to
   * the sweeper, or redelivered where its neighbours fail, too; always where a notice is published.
   */
  fail(pick: number, neighboursFail: boolean): void {
    const streamed = this.running.filter(({ delivery }) => delivery && delivery.to !== "record");
    const invocation = streamed[pick % Math.max(1, streamed.length)];
    if (!invocation?.delivery) {
      return;
    }
    const { delivery } = invocation;
    this.running.splice(this.running.indexOf(invocation), 1);
    const isPublished = delivery.to === "notify" && this.publishedUnwritten.size > 0;
    if (neighboursFail || isPublished) {
      this.pending.push(delivery);
    }
  }

  /** An uninterrupted run of the sweeper. */
  sweepAtOnce(): void {
    const handler = this.sweep();
    while (!handler.next().done) {}
  }

  /** Runs everything to its end, with the schedule and without faults. */
  quieten(): void {
    for (let sweeps = 0; sweeps < 10; sweeps += 1) {
      while (this.running.length + this.pending.length > 0) {
        this.start(0, false);
        this.step(0);
      }
      this.running.push({ handler: this.sweep() });
    }
    while (this.running.length > 0) {
      this.step(0);
    }
  }
}

const actions = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant("step" as const) },
    { weight: 4, arbitrary: fc.constant("start" as const) },
    { weight: 2, arbitrary: fc.constant("crash" as const) },
    { weight: 1, arbitrary: fc.constantFrom("fail" as const, "failAll" as const) },
    { weight: 1, arbitrary: fc.constantFrom("again" as const, "sweep" as const) },
    { weight: 1, arbitrary: fc.constant("sweepAtOnce" as const) },
  ),
  pick: fc.nat(50),
});

/** Files as they come: through the API, or straight into the bucket, some under the same key. */
const files = fc.array(
  fc.record({
    isUpload: fc.boolean(),
    isLate: fc.boolean(),
    fails: fc.boolean(),
    key: fc.constantFrom("a", "b"),
  }),
  { minLength: 1, maxLength: 4 },
);

type Given = Pick<Stored, "isUpload" | "isLate" | "fails" | "key">;

function pipelineOf(given: Given[]): Pipeline {
  const pipeline = new Pipeline();
  given.forEach(({ isUpload, isLate, fails, key }, index) => {
    const time = 1_700_000_000_000 + index;
    // Of the same millisecond for all: the sequencer alone tells writes to one key apart.
    const eventTime = "2026-11-21T20:00:00.000Z";
    const object = { bucket: "b", sequencer: String(index), eventTime, isUpload, isLate, fails };
    if (isUpload) {
      const { object_key, ...identity } = uploadOf(uuidv7At(time), UPLOAD_PREFIX, key);
      const upload = { ...object, key: object_key };
      pipeline.running.push({ handler: pipeline.upload(upload, identity), upload });
    } else {
      pipeline.store({ ...object, key });
    }
  });
  return pipeline;
}

/** Runs the actions, and then until all is quiet. */
function play(
  given: Parameters<typeof pipelineOf>[0],
  played: {
    kind: "step" | "start" | "again" | "crash" | "fail" | "failAll" | "sweep" | "sweepAtOnce";
    pick: number;
  }[],
): Pipeline {
  const pipeline = pipelineOf(given);
  for (const { kind, pick } of played) {
    if (kind === "sweep") {
      pipeline.running.push({ handler: pipeline.sweep() });
    } else if (kind === "sweepAtOnce") {
      pipeline.sweepAtOnce();
    } else if (kind === "step") {
      pipeline.step(pick);
    } else if (kind === "crash") {
      pipeline.crash(pick);
    } else if (kind === "fail" || kind === "failAll") {
      pipeline.fail(pick, kind === "failAll");
    } else {
      pipeline.start(pick, kind === "again");
    }
  }
  pipeline.quieten();
  return pipeline;
}

describe("handlers that run, fail, crash and are retried in any order", () => {
  const histories = fc.tuple(
    files,
    fc.array(actions, { minLength: 20, maxLength: 120, size: "max" }),
  );
  const check = (assess: (pipeline: Pipeline) => void) => {
    fc.assert(
      fc.property(histories, ([given, played]) => {
        assess(play(given, played));
      }),
      { numRuns: 300 },
    );
  };

  it("give each object that S3 accepted exactly one row", () => {
    check(({ rows, objects }) => {
      const names = objects.map((object) => JSON.stringify(objectIdentity(object)));
      expect([...rows.keys()].sort()).to.deep.equal(names.sort());
    });
  });

  it("never take a status backwards", () => {
    // `advance` compares each write with the status before it.
    check(() => undefined);
  });

  it("bring every event to notified, or to failed with an alarm", () => {
    check(({ rows, objects, alarms, mails, deadLetters }) => {
      for (const object of objects) {
        const name = JSON.stringify(objectIdentity(object));
        const row = rows.get(name);
        const end = object.fails || (row?.attempts ?? 0) >= MAX_ATTEMPTS ? "failed" : "notified";
        expect(row?.status).to.be.oneOf([end, object.fails ? "failed" : "notified"]);
        const published = row?.status === "failed" ? alarms : mails;
        expect(published.get(name), name).to.be.at.least(1);
      }
      expect(deadLetters).to.deep.equal([]);
    });
  });

  it("publish nothing twice, except after a crash between the message and the row", () => {
    check(({ mails, alarms, duplicates }) => {
      for (const [status, book] of Object.entries({ processed: mails, failed: alarms })) {
        for (const [name, times] of book) {
          const allowed = 1 + (duplicates.get(`${status} ${name}`) ?? 0);
          expect(times, `${status} ${name}`).to.be.at.most(allowed);
        }
      }
    });
  });
});
