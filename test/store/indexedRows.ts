import { Readable } from "node:stream";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createDynamoDb, type HttpRequest } from "local-aws";
import type { EventKey, EventStatus } from "../../events/event";
import { type Item, keyItem } from "../../events/item";
import { statusAttributes } from "../../events/partitions";
import type { EventStore } from "../../store/eventStore";
import { ACCOUNT, call, eventTable, REGION } from "./eventTable";

/** DynamoDB's limit for one BatchWriteItem. */
const MAX_WRITES = 25;

/** The attributes that determine a row's place in the index. */
export interface IndexedRow extends EventKey {
  event_status: EventStatus;
}

/** Event tables in memory, and the cost of reading them. */
export interface IndexedRows {
  /** Queries, and rows read by them, since `reset`. */
  cost: { queries: number; rowsRead: number };
  /** Awaited before each request of a store's client. */
  beforeRequest: () => Promise<void>;
  reset(): void;
  /** @param statusShards @default 1 */
  newStore(statusShards?: number): Promise<EventStore>;
  /** Puts rows; not counted in `cost`. */
  put(store: EventStore, rows: IndexedRow[], more?: Item): Promise<void>;
  close(): Promise<void>;
}

export function openIndexedRows(): IndexedRows {
  const db = createDynamoDb({ region: REGION, accountId: ACCOUNT });
  let tables = 0;

  const dynamo = new DynamoDBClient({
    region: REGION,
    endpoint: "http://localhost",
    credentials: { accessKeyId: "id", secretAccessKey: "secret" },
    // The engine reads no signature, and signing takes a fifth of a call.
    signer: { sign: (request) => Promise.resolve(request) },
    requestHandler: {
      async handle({ headers, body }: { headers: HttpRequest["headers"]; body: Uint8Array }) {
        await indexed.beforeRequest();
        const request = { method: "POST", url: "/", headers, body: Buffer.concat([body]) };
        const answer = await db.handle(request);
        const { Count: count = 0 } = JSON.parse(answer.body.toString()) as { Count?: number };
        indexed.cost.queries += 1;
        indexed.cost.rowsRead += count;
        const { status: statusCode } = answer;
        return { response: { ...answer, statusCode, body: Readable.from([answer.body]) } };
      },
    },
  });

  const indexed: IndexedRows = {
    cost: { queries: 0, rowsRead: 0 },
    beforeRequest: () => Promise.resolve(),
    reset() {
      indexed.cost = { queries: 0, rowsRead: 0 };
      indexed.beforeRequest = () => Promise.resolve();
    },
    async newStore(statusShards = 1) {
      tables += 1;
      const tableName = `events-${tables}`;
      await db.createTable({ ...eventTable(statusShards), tableName });
      return { dynamo, tableName, statusShards };
    },
    async put({ tableName, statusShards }, rows, more = {}) {
      const requests = rows.map((row) => {
        const ofStatus = statusAttributes(row.event_id, row.event_status, statusShards);
        return { PutRequest: { Item: { ...keyItem(row), ...ofStatus, ...more } } };
      });
      while (requests.length > 0) {
        const RequestItems = { [tableName]: requests.splice(0, MAX_WRITES) };
        const { status, answer } = await call(db, "BatchWriteItem", { RequestItems });
        if (status !== 200) {
          throw new Error(`The rows could not be put: ${JSON.stringify(answer)}`);
        }
      }
    },
    async close() {
      dynamo.destroy();
      await db.close();
    },
  };
  return indexed;
}
