import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import type { OpenMail } from "local-aws";
import { EVENT_STATUSES, type FileEvent } from "../../../events/event";
import { type Run, type RunEvent, type RunOptions, startRun } from "../../../start/run";
import { clientsOf, scanEvents } from "../../../testing/clients";
import { readMails } from "../../../testing/mails";
import { UNTHROTTLED } from "../../../testing/unthrottled";
import { describedFetch } from "../../openapi/described";

/** An answer of either API that openapi.json describes. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** The program on this machine, for tests of the manager. */
export interface Managed {
  run: Run;
  s3: S3Client;
  dynamo: DynamoDBClient;
  events: RunEvent[];
  /** A request to the manager, with its key, such as `GET /events?status=failed`. */
  ask(route: string, init?: RequestInit): Promise<Answer>;
  /** Uploads through the upload API; resolves with the event's id. */
  upload(name: string, body?: string): Promise<string>;
  /** Every row, by a scan. */
  rows(): Promise<FileEvent[]>;
  /** The mails of the run. */
  mails(): Promise<OpenMail[]>;
  /** Compares `/stats` with a full count; waits for the run to be idle, unless its streams are closed. */
  expectStatsToAgree(options?: { streamsClosed: boolean }): Promise<void>;
  stop(): Promise<void>;
}

export async function startManaged(options: Partial<RunOptions> = {}): Promise<Managed> {
  const events: RunEvent[] = [];
  const run = await startRun({
    port: 0,
    // Few tests need all Lambdas.
    warmStart: false,
    onEvent: (event) => events.push(event),
    ...options,
    config: { ...UNTHROTTLED, digestSeconds: "0", ...options.config },
  });
  const { s3, dynamo, destroy } = clientsOf(run);
  const { managerUrl, managerApiKey, uploadUrl, tableName } = run.outputs as Record<string, string>;

  const ask = async (route: string, init: RequestInit = {}) => {
    const [method, path = ""] = route.split(" ", 2);
    const answer = await describedFetch(`${managerUrl ?? ""}${path}`, {
      ...init,
      method,
      headers: { "x-api-key": managerApiKey ?? "", ...(init.headers as object) },
    });
    return { ...answer, body: (answer.body ?? {}) as Record<string, unknown> };
  };

  const rows = () => scanEvents(dynamo, tableName ?? "");

  return {
    run,
    s3,
    dynamo,
    events,
    ask,
    rows,
    async upload(name, body = `the file ${name}`) {
      const url = `${uploadUrl ?? ""}?filename=${encodeURIComponent(name)}`;
      const headers = { "content-type": "text/plain" };
      const answer = await describedFetch(url, { method: "POST", headers, body });
      expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
      return (answer.body as { event_id: string }).event_id;
    },
    mails: () => readMails(run, events),
    async expectStatsToAgree({ streamsClosed } = { streamsClosed: false }) {
      if (!streamsClosed) {
        await run.idle();
      }
      const all = await rows();
      const counts = Object.fromEntries(
        EVENT_STATUSES.map((status) => [
          status,
          all.filter(({ event_status }) => event_status === status).length,
        ]),
      );
      const { status, body } = await ask("GET /stats");
      expect(status).to.equal(200);
      expect(body.counts).to.deep.equal(counts);
      expect(body.total).to.equal(all.length);
    },
    async stop() {
      destroy();
      await run.stop();
    },
  };
}

/** The ids of the events that these mails name. */
export function eventIdsIn(mails: OpenMail[]): string[] {
  const id = /\bevent:?\s+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/gi;
  return mails.flatMap(({ text }) => [...text.matchAll(id)].map((match) => match[1] ?? ""));
}
