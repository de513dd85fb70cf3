import { readFile } from "node:fs/promises";
import type { DynamoDBStreamEvent } from "aws-lambda";
import { logicalName } from "local-aws";
import PostalMime from "postal-mime";
import type { EventStatus } from "../events/event";
import type { RunEvent, RunOptions } from "../start/run";
import type { Image, Moment } from "./world";

/** Counts by name, such as a Lambda's logical name. */
export type Counts = Record<string, number>;

type Seen = Moment | { kind: "mail"; file: string };

const FINISHED: readonly EventStatus[] = ["notified", "failed"];

const STREAM_LAMBDAS = ["process", "notify"];

/** The id of an event, in mails of one and of several files. */
const EVENT_ID = /\bevent:?\s+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/gi;

function count(counts: Counts, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function imagesOf({ Records }: DynamoDBStreamEvent): Image[] {
  return Records.map(({ dynamodb }) => ({
    eventId: dynamodb?.NewImage?.event_id?.S ?? "",
    status: dynamodb?.NewImage?.event_status?.S ?? "",
    alarmed: (dynamodb?.NewImage?.alarmed_at ?? dynamodb?.NewImage?.no_alarm) !== undefined,
  }));
}

/** Observes a run, and records its moments in order. */
export class Observer {
  readonly invocations: Counts = {};
  /** Failed invocations, by Lambda and outcome. */
  readonly failedInvocations: Counts = {};
  /** Retries of asynchronous invocations. */
  asyncRetries = 0;
  /** Stream records delivered to the same Lambda again. */
  redeliveredRecords = 0;
  mails = 0;
  /** Errors that the run reported. */
  readonly errors: string[] = [];
  /** Time of the last observation; milliseconds, monotonic. */
  lastChange = performance.now();

  private readonly seen: Seen[] = [];
  private readonly statuses = new Map<string, { status: EventStatus; key: string }>();
  private readonly requests = new Set<string>();
  private readonly records = new Set<string>();
  private readonly running = new Map<string, string>();

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

  /** Keys of the objects whose events are finished. */
  finishedKeys(): Set<string> {
    const finished = [...this.statuses.values()].filter(({ status }) => FINISHED.includes(status));
    return new Set(finished.map(({ key }) => key));
  }

  /** Number of unfinished events. */
  get unfinished(): number {
    return [...this.statuses.values()].filter(({ status }) => !FINISHED.includes(status)).length;
  }

  /** Whether no Lambda runs, except the sweeper, which runs on a schedule. */
  get idle(): boolean {
    return [...this.running.values()].every((functionName) => functionName === "sweep");
  }

  /** All moments so far, with the content of the mails. */
  async moments(alarmAddress: string): Promise<Moment[]> {
    return Promise.all(
      this.seen.map(async (moment): Promise<Moment> => {
        if (moment.kind !== "mail") {
          return moment;
        }
        const mail = await PostalMime.parse(await readFile(moment.file));
        const eventIds = [...(mail.text ?? "").matchAll(EVENT_ID)].map(([, id]) => id ?? "");
        const alarm = mail.to?.some(({ address }) => address === alarmAddress) ?? false;
        const header = mail.headers.find(({ key }) => key === "x-amz-sns-message-id");
        return {
          kind: "published",
          topic: alarm ? "alarms" : "notices",
          messageId: header?.value ?? "",
          eventIds: [...new Set(eventIds)],
        };
      }),
    );
  }

  private add(moment: Seen): void {
    this.seen.push(moment);
    this.lastChange = performance.now();
  }

  private take(event: RunEvent): void {
    switch (event.type) {
      case "status": {
        const { event_id, event_status, event_info } = event.event;
        this.statuses.set(event_id, { status: event_status, key: event_info.Key });
        this.add({ kind: "status", eventId: event_id, to: event_status });
        break;
      }
      case "mail":
        this.mails += 1;
        this.add({ kind: "mail", file: event.mail.file });
        break;
      case "log":
        this.takeLine(event.line);
        break;
      case "error":
        this.errors.push(event.message);
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
    if (async && this.requests.has(requestId)) {
      this.asyncRetries += 1;
    }
    this.requests.add(requestId);
    if (STREAM_LAMBDAS.includes(functionName)) {
      const batch = JSON.parse(payload) as DynamoDBStreamEvent;
      this.add({ kind: "invoked", functionName, images: imagesOf(batch) });
      for (const { dynamodb } of batch.Records) {
        const record = `${functionName} ${dynamodb?.SequenceNumber ?? ""}`;
        this.redeliveredRecords += this.records.has(record) ? 1 : 0;
        this.records.add(record);
      }
    }
  }

  private takeEnd(functionName: string, requestId: string, outcome: string): void {
    this.running.delete(requestId);
    if (functionName !== "sweep") {
      this.lastChange = performance.now();
    }
    if (outcome === "ok") {
      return;
    }
    count(this.failedInvocations, `${functionName} ${outcome}`);
    // After an error of the handler, the process and its memory stay.
    if (outcome !== "error") {
      this.add({ kind: "died", functionName, outcome });
    }
  }
}
