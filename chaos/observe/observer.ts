import { readFile } from "node:fs/promises";
import * as path from "node:path";
import type { DynamoDBStreamEvent } from "aws-lambda";
import { logicalName, type ObjectCreated } from "local-aws";
import PostalMime from "postal-mime";
import type { EventStatus } from "../../events/event";
import { parseUploadKey } from "../../events/identity";
import type { RunEvent, RunOptions } from "../../start/run";
import type { Image, Moment } from "../world";
import { Spool } from "./spool";

/** Counts by name, such as a Lambda's logical name. */
export type Counts = Record<string, number>;

type Seen = Moment | { kind: "mail"; file: string };

const FINISHED: readonly EventStatus[] = ["notified", "failed"];

const STREAM_LAMBDAS = ["process", "notify"];

/** Lambdas that run on a schedule or for an operator: what they change is observed by itself. */
const BACKGROUND = ["sweep", "manager"];

/** Errors that are kept; all are counted. */
const KEPT_ERRORS = 100;

/** The id of an event, in mails of one and of several files. */
const EVENT_ID = /\bevent:?\s+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/gi;

export function count(counts: Counts, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by;
}

export function isFinished(status: EventStatus): boolean {
  return FINISHED.includes(status);
}

function imagesOf({ Records }: DynamoDBStreamEvent): Image[] {
  return Records.map(({ dynamodb }) => ({
    eventId: dynamodb?.NewImage?.event_id?.S ?? "",
    status: dynamodb?.NewImage?.event_status?.S ?? "",
    alarmed: (dynamodb?.NewImage?.alarmed_at ?? dynamodb?.NewImage?.no_alarm) !== undefined,
  }));
}

/** Observes a run, and records its moments in order, in files: it keeps some 200 bytes for each event. */
export class Observer {
  readonly invocations: Counts = {};
  /** Failed invocations, by Lambda and outcome. */
  readonly failedInvocations: Counts = {};
  /** Retries of asynchronous invocations. */
  asyncRetries = 0;
  /** Stream records delivered to the same Lambda again. */
  redeliveredRecords = 0;
  mails = 0;
  /** The first errors that the run reported. */
  readonly errors: string[] = [];
  /** Objects that were written. */
  writes = 0;
  /** Events by their status. */
  readonly statuses: Counts = {};
  /** Time of the last observation; milliseconds, monotonic. */
  lastChange = performance.now();
  /** When an object was written or a status changed for the last time; milliseconds, monotonic. */
  lastProgress = performance.now();

  private readonly seen: Spool<Seen>;
  private readonly current = new Map<string, EventStatus>();
  /** Events of objects under keys that were handed out, until their row is there. */
  private readonly expected = new Set<string>();
  /** Writes under other keys, each of which becomes an event, and how many have. */
  private directWrites = 0;
  private directEvents = 0;
  private readonly waiting = new Map<string, () => void>();
  /** Asynchronous invocations that failed. */
  private readonly failed = new Set<string>();
  private readonly records = new Map<string, Set<number>>();
  private readonly running = new Map<string, string>();

  /** @param folder for the moments */
  constructor(private readonly folder: string) {
    this.seen = new Spool(path.join(folder, "seen.jsonl"));
  }

  /** Options for `startRun`. */
  readonly hooks: Pick<RunOptions, "onEvent" | "onInvocation" | "interceptInvocation"> = {
    onEvent: (event) => {
      this.take(event);
    },
    interceptInvocation: ({ functionName, requestId, payload, async }) => {
      this.takeInvocation(logicalName(functionName), requestId, payload, async);
      return undefined;
    },
    onInvocation: ({ functionName, requestId, outcome }) => {
      this.takeEnd(logicalName(functionName), requestId, outcome);
    },
  };

  /** For the run's `onObjectCreated`. */
  readonly takeObject = ({ key, eTag, size }: ObjectCreated): void => {
    this.writes += 1;
    const upload = parseUploadKey(key);
    if (upload === undefined) {
      this.directWrites += 1;
    } else if (!this.current.has(upload.event_id)) {
      // Otherwise it is written again, after its event was deleted: it gets none.
      this.expected.add(upload.event_id);
    }
    this.lastProgress = performance.now();
    this.add({ kind: "stored", key, eTag, size });
  };

  /** Number of events. */
  get events(): number {
    return this.current.size;
  }

  /** Number of objects that will have an event, and have none yet. */
  get withoutEvent(): number {
    return this.expected.size + this.directWrites - this.directEvents;
  }

  /** Number of finished events. */
  get finished(): number {
    return FINISHED.reduce((sum, status) => sum + (this.statuses[status] ?? 0), 0);
  }

  /** Invocations in progress, by Lambda, except the sweeper's and the manager's. */
  get working(): Counts {
    const working: Counts = {};
    for (const functionName of this.running.values()) {
      if (!BACKGROUND.includes(functionName)) {
        count(working, functionName);
      }
    }
    return working;
  }

  /** Resolves when the event is finished. */
  async finishedEvent(eventId: string): Promise<void> {
    const status = this.current.get(eventId);
    if (status === undefined || !isFinished(status)) {
      await new Promise<void>((resolve) => this.waiting.set(eventId, resolve));
    }
  }

  /** All moments so far, with the content of the mails. The caller closes the list. */
  async moments(alarmAddress: string): Promise<Spool<Moment>> {
    const moments = new Spool<Moment>(path.join(this.folder, "moments.jsonl"));
    for (const moment of this.seen) {
      moments.push(moment.kind === "mail" ? await readMail(moment.file, alarmAddress) : moment);
    }
    return moments;
  }

  close(): void {
    this.seen.close();
  }

  private add(moment: Seen): void {
    this.seen.push(moment);
    this.lastChange = performance.now();
  }

  private take(event: RunEvent): void {
    switch (event.type) {
      case "status":
        this.takeStatus(event.event.event_id, event.event.event_status);
        break;
      case "mail":
        this.mails += 1;
        this.add({ kind: "mail", file: event.mail.file });
        break;
      case "log":
        this.takeLine(event.line);
        break;
      case "error":
        if (this.errors.length < KEPT_ERRORS) {
          this.errors.push(event.message);
        }
    }
  }

  private takeStatus(eventId: string, to: EventStatus): void {
    const from = this.current.get(eventId);
    if (from !== undefined) {
      count(this.statuses, from, -1);
    } else if (!this.expected.delete(eventId)) {
      this.directEvents += 1;
    }
    count(this.statuses, to);
    this.current.set(eventId, to);
    this.lastProgress = performance.now();
    this.add({ kind: "status", eventId, to });
    if (isFinished(to)) {
      this.waiting.get(eventId)?.();
      this.waiting.delete(eventId);
    }
  }

  /** A handler logs the id of each message that SNS acknowledged. */
  private takeLine(line: string): void {
    if (!line.includes('"message_id"')) {
      return;
    }
    const { message } = JSON.parse(line) as { message?: { message_id?: string } };
    if (message?.message_id !== undefined) {
      this.add({ kind: "acknowledged", messageId: message.message_id });
    }
  }

  private takeInvocation(
    functionName: string,
    requestId: string,
    payload: string,
    async: boolean,
  ): void {
    count(this.invocations, functionName);
    this.running.set(requestId, functionName);
    if (async && this.failed.delete(requestId)) {
      this.asyncRetries += 1;
    }
    if (STREAM_LAMBDAS.includes(functionName)) {
      const batch = JSON.parse(payload) as DynamoDBStreamEvent;
      this.add({ kind: "invoked", functionName, images: imagesOf(batch) });
      this.countRedelivered(functionName, batch);
    }
  }

  private countRedelivered(functionName: string, { Records }: DynamoDBStreamEvent): void {
    const delivered = this.records.get(functionName) ?? new Set();
    this.records.set(functionName, delivered);
    for (const { dynamodb } of Records) {
      const record = Number(dynamodb?.SequenceNumber?.slice(1));
      this.redeliveredRecords += delivered.has(record) ? 1 : 0;
      delivered.add(record);
    }
  }

  private takeEnd(functionName: string, requestId: string, outcome: string): void {
    this.running.delete(requestId);
    if (!BACKGROUND.includes(functionName)) {
      this.lastChange = performance.now();
    }
    if (outcome === "ok") {
      return;
    }
    count(this.failedInvocations, `${functionName} ${outcome}`);
    this.failed.add(requestId);
    // After an error of the handler, the process and its memory stay.
    if (outcome !== "error") {
      this.add({ kind: "died", functionName, outcome });
    }
  }
}

async function readMail(file: string, alarmAddress: string): Promise<Moment> {
  const mail = await PostalMime.parse(await readFile(file));
  const eventIds = [...(mail.text ?? "").matchAll(EVENT_ID)].map(([, id]) => id ?? "");
  const alarm = mail.to?.some(({ address }) => address === alarmAddress) ?? false;
  const header = mail.headers.find(({ key }) => key === "x-amz-sns-message-id");
  return {
    kind: "published",
    topic: alarm ? "alarms" : "notices",
    messageId: header?.value ?? "",
    eventIds: [...new Set(eventIds)],
  };
}
