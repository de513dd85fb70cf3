/**
 * Simulates overloads of hours: a Lambda of the stream that fails or is slow, and the sweeper beside
 * it, by groups of rows that were written at the same time. The sweeper's decisions and its budget are
 * the program's own code.
 */
import { positionOf, resolutionsFor } from "../../handlers/sweep/consumers";
import { adapted, fateOf, roomOf, withRedelivered } from "../../store/redelivery/budget";
import { decide, type Position } from "../../store/redelivery/decision";
import { type Ledger, MIN_BUDGET, type Sample } from "../../store/redelivery/ledger";

/** An overload of one of the two Lambdas; the other one keeps up. Times in seconds. */
export interface Overload {
  /** Uploads a second, from the start to the end of the overload and for as long afterwards as it takes. */
  arrivals: number;
  /** Records a second that it finishes while it is overloaded. */
  capacityDuring: number;
  /** Records a second that it finishes before and after. */
  capacity: number;
  /** From `START` on. */
  duration: number;
  /** Share of rows that never advance, with a transient error. */
  poison: number;
}

/** What came of it. */
export interface Recovery {
  /** Rows that became `failed`, without the poison ones. */
  failed: number;
  /** Of the spare capacity: how fast most of the backlog was worked off. */
  drainShare: number;
  /** The sweeper's writes, of the pipeline's three for each row. */
  writeShare: number;
  /** Time from the overload's end until no row is late, of the least possible. */
  timeShare: number;
  /** Hours of it. */
  hours: number;
}

export type Sweeper = "before" | "now";

const TICK = 10;
/** Seconds without an overload, at first. */
const START = 600;
const SWEEP_SECONDS = 300;
/** Seconds that a run may take. */
const RUN_SECONDS = 100;
const SETTINGS = { stuckSeconds: 900, maxAttempts: 5 };
/** Of the sweeper before: rows of one run. */
const FORMER_ROWS = 250;
/** The mapping's settings, with each sweeper. */
const MAX_RECORD_AGES: Record<Sweeper, number> = { before: 6 * 3600, now: 23 * 3600 };
const SHARDS = 4;
const BATCH = 100;
/** Seconds of ten retries of a batch, with their pauses. */
const GIVE_UP_SECONDS = 363;
/** Seconds that a row takes without an overload, at most. */
const USUAL_SECONDS = 60;
/** The part of a backlog after which it counts as drained: single rows are measured apart. */
const MOSTLY = 0.95;
/** A simulation that is not over after so many times the least possible is given up. */
export const MOST = 4;

/** Rows that were written at the same time, and have gone through the same. */
interface Group {
  id: string;
  rows: number;
  isPoison: boolean;
  /** Seconds. */
  createdAt: number;
  updatedAt: number;
  attempts: number;
  isDone: boolean;
  /** Records of these rows. */
  records: StreamRecords[];
}

/** Records of groups that were written at one time. */
interface StreamRecords {
  at: number;
  groups: Group[];
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

class Model {
  now = 0;
  failed = 0;
  writes = 0;
  uploaded = 0;
  private ids = 0;
  private groups: Group[] = [];
  private queue: StreamRecords[] = [];
  /** Index of the queue's first record. */
  private head = 0;
  /** Newest last: the greatest age of a minute. */
  private ages: { start: number; value: number }[] = [];
  private ledger: Ledger = {
    budget: 256,
    outstanding: 0,
    adapted_at: "",
    samples: [],
    passed: "",
    silent_since: "",
  };
  private readonly byId = new Map<string, Group>();
  private runEnds = 0;
  /** The time of the first row that the last run has left. */
  private cursor = 0;

  constructor(
    private readonly overload: Overload,
    private readonly sweeper: Sweeper,
  ) {}

  /** Rows older than this that are neither done nor poison. */
  left(seconds = 0): number {
    return this.groups.reduce((sum, { createdAt, isDone, isPoison, rows }) => {
      const counts = !isDone && !isPoison && createdAt <= this.now - seconds;
      return sum + (counts ? rows : 0);
    }, 0);
  }

  tick(): void {
    const { arrivals, poison, capacity, capacityDuring, duration } = this.overload;
    this.now += TICK;
    const isOverloaded = this.now > START && this.now <= START + duration;
    const rows = arrivals * TICK;
    this.uploaded += rows;
    this.upload(rows * (1 - poison), false);
    this.upload(rows * poison, true);
    this.consume((isOverloaded ? capacityDuring : capacity) * TICK);
    if (isOverloaded && capacityDuring === 0) {
      this.pass(((SHARDS * BATCH) / GIVE_UP_SECONDS) * TICK, false);
    }
    this.sweep();
    if (this.now % 300 === 0) {
      this.groups = this.groups.filter(({ isDone, rows: left }) => !isDone && left > 0);
    }
  }

  private upload(rows: number, isPoison: boolean): void {
    if (rows > 0) {
      const { now } = this;
      const group = this.group({ rows, isPoison, createdAt: now, updatedAt: now, attempts: 0 });
      this.write([group]);
    }
  }

  private group(given: Pick<Group, "rows" | "isPoison" | "createdAt" | "updatedAt" | "attempts">) {
    this.ids += 1;
    const id = `${this.ids}-${((this.ids * 7919) % 65_536).toString(16).padStart(4, "0")}`;
    const group: Group = { ...given, id, isDone: false, records: [] };
    this.groups.push(group);
    this.byId.set(id, group);
    return group;
  }

  private write(groups: Group[]): void {
    const records = { at: this.now, groups: [...groups] };
    this.queue.push(records);
    for (const group of groups) {
      group.records.push(records);
    }
  }

  /** Takes some rows of a group out of it, which stay in the same records. */
  private split(group: Group, rows: number): Group {
    if (rows >= group.rows) {
      return group;
    }
    group.rows -= rows;
    const part = this.group({ ...group, rows });
    part.records = [...group.records];
    for (const records of group.records) {
      records.groups.push(part);
    }
    return part;
  }

  private consume(records: number): void {
    const sent = this.pass(records, true);
    const minute = this.now - (this.now % 60);
    const value = (this.now - (sent ?? this.queue[this.head]?.at ?? this.now)) * 1000;
    const last = this.ages.at(-1);
    if (last?.start === minute) {
      last.value = Math.max(last.value, value);
    } else {
      this.ages = [...this.ages.slice(-30), { start: minute, value }];
    }
  }

  /** Moves past so many records. @returns the time of the last one */
  private pass(most: number, works: boolean): number | undefined {
    let left = most;
    let last: number | undefined;
    for (;;) {
      const records = this.queue[this.head];
      if (!records) {
        return last;
      }
      const isTooOld = this.now - records.at > MAX_RECORD_AGES[this.sweeper];
      while (records.groups.length > 0) {
        const group = records.groups.at(-1);
        // Records of finished rows take a call that changes nothing: nearly no time.
        if (!group || group.isDone || isTooOld) {
          records.groups.pop();
          this.forget(group, records);
          continue;
        }
        if (left <= 0) {
          return last ?? records.at;
        }
        const part = this.split(group, left);
        left -= part.rows;
        this.forget(part, records);
        part.isDone = works && !part.isPoison;
        last = records.at;
      }
      this.head += 1;
      if (this.head > 1000) {
        this.queue = this.queue.slice(this.head);
        this.head = 0;
      }
    }
  }

  private forget(group: Group | undefined, records: StreamRecords): void {
    if (group) {
      records.groups = records.groups.filter((each) => each !== group);
      group.records = group.records.filter((each) => each !== records);
    }
  }

  private sweep(): void {
    if (this.sweeper === "before") {
      if (this.now % SWEEP_SECONDS === 0) {
        this.sweepAsBefore();
      }
      return;
    }
    if (this.now % SWEEP_SECONDS === 0) {
      this.runEnds = this.now + RUN_SECONDS;
    }
    if (this.now < this.runEnds && !this.sweepNow()) {
      this.runEnds = 0;
    }
  }

  private sweepAsBefore(): void {
    let room = FORMER_ROWS;
    for (const group of [...this.groups]) {
      if (room <= 0) {
        return;
      }
      if (!group.isDone && group.updatedAt < this.now - SETTINGS.stuckSeconds) {
        const part = this.split(group, room);
        room -= part.rows;
        if (part.attempts >= SETTINGS.maxAttempts) {
          this.fail(part);
        } else {
          this.redeliver(part, true);
        }
      }
    }
  }

  private fail(group: Group): void {
    this.failed += group.isPoison ? 0 : group.rows;
    group.isDone = true;
  }

  private redeliver(group: Group, counts: boolean): void {
    this.writes += group.rows;
    group.updatedAt = this.now;
    group.attempts += counts ? 1 : 0;
    this.write([group]);
  }

  private position(): Position {
    const [resolution] = resolutionsFor(SETTINGS.stuckSeconds);
    // CloudWatch has a minute's data some time after its end.
    const known = this.ages.filter(({ start }) => start + 120 <= this.now).reverse();
    return (
      (resolution && positionOf(known, resolution, this.now)) ?? {
        passed: "",
        reached: "",
        isActive: false,
      }
    );
  }

  private adapt(position: Position): void {
    const times = { now: this.now * 1000, patienceSeconds: 900, expirySeconds: 3600 };
    const fates = this.ledger.samples.map((sample) => {
      const group = this.byId.get(sample.key.event_id);
      const isSame = group !== undefined && !group.isDone;
      const change = isSame ? (iso(group.updatedAt) === sample.at ? "same" : "other") : "changed";
      return fateOf(sample, change, position.reached, times);
    });
    this.ledger = adapted(this.ledger, fates, times);
  }

  /** @returns whether there is more to do in this run */
  private sweepNow(): boolean {
    const position = this.position();
    const upTo = position.isActive ? Date.parse(position.passed) / 1000 : Infinity;
    this.adapt(position);
    for (const group of this.fromCursor()) {
      if (group.isDone || group.updatedAt >= upTo) {
        continue;
      }
      const decision = decide(
        {
          key: { event_id: group.id, event_timestamp: "" },
          status: "uploaded",
          attempts: group.attempts,
          updated_at: iso(group.updatedAt),
        },
        position,
        SETTINGS,
        this.now * 1000,
      );
      if (decision === "giveUp") {
        this.fail(group);
      } else if (decision !== "wait") {
        const room = roomOf(this.ledger, position.isActive);
        if (room < 1) {
          this.cursor = group.createdAt;
          return this.ledger.budget > MIN_BUDGET;
        }
        const part = this.split(group, room);
        this.redeliver(part, decision === "count");
        const rows = Array.from({ length: Math.max(1, Math.floor(part.rows)) }, (): Sample => ({
          key: { event_id: part.id, event_timestamp: "" },
          status: "uploaded",
          at: iso(this.now),
        }));
        this.ledger = withRedelivered(this.ledger, rows, this.now * 1000);
      }
    }
    this.cursor = 0;
    return false;
  }

  /** All groups in the order of the index, from where the last run ended, and then from the beginning. */
  private fromCursor(): Group[] {
    const sorted = this.groups.toSorted((a, b) => a.createdAt - b.createdAt);
    const start = sorted.findIndex(({ createdAt }) => createdAt >= this.cursor);
    return [...sorted.slice(Math.max(0, start)), ...sorted.slice(0, Math.max(0, start))];
  }
}

/** Simulates an overload, and the time after it until no row is late. */
export function recovery(overload: Overload, sweeper: Sweeper): Recovery {
  const { arrivals, capacity, capacityDuring, duration } = overload;
  const model = new Model(overload, sweeper);
  const end = START + duration;
  while (model.now < end) {
    model.tick();
  }
  const backlog = (arrivals - capacityDuring) * duration;
  // What comes meanwhile takes its share of the capacity.
  const least = backlog / (capacity - arrivals);
  const atEnd = model.left();
  let drained: number | undefined;
  while (model.left(USUAL_SECONDS) > 0 && model.now < end + MOST * least) {
    model.tick();
    if (drained === undefined && model.left() <= (1 - MOSTLY) * atEnd) {
      drained = model.now - end;
    }
  }
  const took = model.now - end;
  return {
    failed: Math.round(model.failed),
    drainShare: (MOSTLY * least) / (drained ?? Infinity),
    writeShare: model.writes / (3 * model.uploaded),
    timeShare: took / least,
    hours: took / 3600,
  };
}
