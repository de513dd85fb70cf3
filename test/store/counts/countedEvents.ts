import { randomUUID } from "node:crypto";
import {
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { createDynamoDb, type TableDefinition } from "local-aws";
import type { EventKey, EventStatus, FileEvent } from "../../../events/event";
import { fromItem, type Item, keyItem } from "../../../events/item";
import { countEvents } from "../../../store/counts/countEvents";
import { sealPeriods } from "../../../store/counts/sealPeriods";
import type { GuardedEventStore } from "../../../store/eventStore";
import type { LinkStore } from "../../../store/links/linkStore";
import { putEvent } from "../../../store/rows";
import { advanceEvent, failEvent } from "../../../store/transitions";
import { updateRow } from "../../../store/updateRow";
import { processedEvent } from "../../../testing/events";
import { ACCOUNT, eventTable, REGION } from "../eventTable";
import { LINKS } from "../links/linkTable";

const COUNTS: TableDefinition = {
  tableName: "counts",
  hashKey: "kind",
  rangeKey: "period",
  attributes: ["kind", "period"].map((name) => ({ name, type: "S" })),
  globalSecondaryIndexes: [],
};

const TOMBSTONES: TableDefinition = {
  tableName: "idempotency",
  hashKey: "idempotency_key",
  attributes: [{ name: "idempotency_key", type: "S" }],
  globalSecondaryIndexes: [],
};

/** A status that an event can advance to. */
type NextStatus = "processed" | "notified" | "failed";

const FAILURE = { code: "NoSuchKey", message: "The key does not exist.", step: "process" };

/** A call of the table or its index, such as `UpdateItem`. */
export interface Call {
  operation: string;
  input: {
    TableName?: string;
    Key?: Item;
    Limit?: number;
    Select?: string;
    UpdateExpression?: string;
  };
}

/** An event table, its counts and the links, in memory, with a clock that the test sets. */
export interface CountedEvents {
  store: GuardedEventStore & LinkStore;
  /** Runs before each call, which fails with the error it throws. */
  before: (call: Call) => void | Promise<void>;
  /** Runs after each answered call. */
  after: (call: Call, answer: unknown) => void | Promise<void>;
  /** Advances the clock. */
  pass(seconds: number): void;
  /** Puts an event of this age, as the upload API does, and advances it to the status. */
  put(ageSeconds: number, status?: EventStatus): Promise<EventKey>;
  /** Advances an event through the pipeline. */
  advance(key: EventKey, ...statuses: NextStatus[]): Promise<void>;
  /** One run of `sealPeriods`. */
  seal(): Promise<void>;
  /** Scheduled runs, until all periods are sealed. */
  settle(): Promise<void>;
  /** The result of `countEvents`. */
  counted(): Promise<Record<EventStatus, number>>;
  /** The counts by a scan of the table. */
  scanned(): Promise<Record<EventStatus, number>>;
  rows(): Promise<FileEvent[]>;
  /** Makes rows large, so that few of them fill a page. */
  fatten(keys: EventKey[], padding: string): Promise<void>;
  /** Removes a row without marking its period. @returns a function that puts it back */
  removeRow(key: EventKey): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const PATHS: Record<EventStatus, NextStatus[]> = {
  created: [],
  uploaded: [],
  processed: ["processed"],
  notified: ["processed", "notified"],
  failed: ["failed"],
};

export async function openCountedEvents(statusShards = 1): Promise<CountedEvents> {
  const engine = createDynamoDb({ region: REGION, accountId: ACCOUNT });
  await engine.open();
  await Promise.all(
    [eventTable(statusShards), COUNTS, TOMBSTONES, LINKS].map((table) => engine.createTable(table)),
  );
  const realNow = Date.now;
  let passed = 0;
  Date.now = () => realNow() + passed;

  const dynamo = new DynamoDBClient({
    region: REGION,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
    // The engine reads no signature, and signing takes a fifth of a call.
    signer: { sign: (request) => Promise.resolve(request) },
    requestHandler: {
      async handle(request: { headers: Record<string, string>; body: Uint8Array }) {
        // With Buffer.from, the SDK logs a warning.
        const body = Buffer.copyBytesFrom(request.body);
        const operation = (request.headers["x-amz-target"] ?? "").replace(/.*\./, "");
        const call = { operation, input: JSON.parse(body.toString()) as Call["input"] };
        await events.before(call);
        const answer = await engine.handle({
          method: "POST",
          url: "/",
          headers: request.headers,
          body,
        });
        await events.after(call, JSON.parse(answer.body.toString()));
        return { response: { ...answer, statusCode: answer.status } };
      },
    },
  });
  const store = {
    dynamo,
    tableName: "events",
    statusShards,
    countsTableName: COUNTS.tableName,
    reservationsTableName: TOMBSTONES.tableName,
    linksTableName: LINKS.tableName,
  };

  const events: CountedEvents = {
    store,
    before: () => undefined,
    after: () => undefined,
    pass(seconds) {
      passed += seconds * 1000;
    },
    async put(ageSeconds, status = "uploaded") {
      const event = processedEvent({
        event_id: randomUUID(),
        event_timestamp: new Date(Date.now() - ageSeconds * 1000).toISOString(),
        event_status: status === "created" ? "created" : "uploaded",
      });
      await putEvent(store, event, "record");
      await events.advance(event, ...PATHS[status]);
      return event;
    },
    async advance(key, ...statuses) {
      for (const status of statuses) {
        if (status === "failed") {
          await failEvent(store, key, { from: "uploaded", error: FAILURE });
        } else {
          await advanceEvent(store, key, status, { by: "process" });
        }
      }
    },
    seal: () => sealPeriods(store, () => true),
    async settle() {
      events.pass(900);
      for (let runs = 0; runs < 3; runs += 1) {
        await events.seal();
        events.pass(300);
      }
    },
    counted: async () => (await countEvents(store)).counts,
    async scanned() {
      const counts = { created: 0, uploaded: 0, processed: 0, notified: 0, failed: 0 };
      for (const { event_status } of await events.rows()) {
        counts[event_status] += 1;
      }
      return counts;
    },
    async rows() {
      const rows: FileEvent[] = [];
      let next: ScanCommand["input"]["ExclusiveStartKey"];
      do {
        const page = await dynamo.send(
          new ScanCommand({ TableName: store.tableName, ExclusiveStartKey: next }),
        );
        rows.push(...(page.Items ?? []).map((item) => fromItem(item as Item)));
        next = page.LastEvaluatedKey;
      } while (next);
      return rows;
    },
    async fatten(keys, padding) {
      for (const key of keys) {
        await updateRow(store, key, {
          set: { padding: { S: padding } },
          expect: { event_id: [{ S: key.event_id }] },
        });
      }
    },
    async removeRow(key) {
      const { Attributes: Item } = await dynamo.send(
        new DeleteItemCommand({
          TableName: store.tableName,
          Key: keyItem(key),
          ReturnValues: "ALL_OLD",
        }),
      );
      return async () => {
        await dynamo.send(new PutItemCommand({ TableName: store.tableName, Item }));
      };
    },
    async close() {
      Date.now = realNow;
      dynamo.destroy();
      await engine.close();
    },
  };
  return events;
}
