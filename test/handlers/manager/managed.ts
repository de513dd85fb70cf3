import { DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import type { OpenMail } from "local-aws";
import { EVENT_STATUSES, type FileEvent } from "../../../events/event";
import { fromItem, type Item } from "../../../events/item";
import { type Run, type RunEvent, type RunOptions, startRun } from "../../../start/run";
import { describedFetch } from "../../openapi/described";

/** An answer of either API, found to be as openapi.json describes it. */
export interface Answer {
  status: number;
  headers: Headers;
  // What is in it is what a test is about.
  body: Record<string, unknown>;
}

/** The whole program on this machine, with its manager at hand. */
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
  /** All mails so far. */
  mails(): Promise<OpenMail[]>;
  /** Compares `/stats` with a full count, once nothing goes on (unless the streams are not read). */
  expectStatsToAgree(options?: { streamsClosed: boolean }): Promise<void>;
  stop(): Promise<void>;
}

export async function startManaged(options: Partial<RunOptions> = {}): Promise<Managed> {
  const events: RunEvent[] = [];
  const run = await startRun({
    port: 0,
    onEvent: (event) => events.push(event),
    ...options,
    config: { digestSeconds: "0", ...options.config },
  });
  const { endpoint, region, credentials } = run;
  const client = { endpoint, region, credentials };
  const s3 = new S3Client(client);
  const dynamo = new DynamoDBClient(client);
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

  const rows = async () => {
    const found: FileEvent[] = [];
    const input = { TableName: tableName, ConsistentRead: true };
    for await (const { Items: items = [] } of paginateScan({ client: dynamo }, input)) {
      found.push(...items.map((item) => fromItem(item as Item)));
    }
    return found;
  };

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
    async mails() {
      const ids = events.flatMap((event) => (event.type === "mail" ? [event.mail.id] : []));
      const mails = await Promise.all(ids.map((id) => run.readMail(id)));
      return mails.filter((mail) => mail !== undefined);
    },
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
      s3.destroy();
      dynamo.destroy();
      await run.stop();
    },
  };
}

/** The ids of the events that these mails name. */
export function eventIdsIn(mails: OpenMail[]): string[] {
  const id = /\bevent:?\s+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/gi;
  return mails.flatMap(({ text }) => [...text.matchAll(id)].map((match) => match[1] ?? ""));
}
