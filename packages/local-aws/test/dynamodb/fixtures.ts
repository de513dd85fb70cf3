import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import type { ItemChange } from "../../dynamodb/changeFeed";
import type { DynamoDbEngine, TableDefinition } from "../../dynamodb/engine";
import {
  createStreamLog,
  type StreamLog,
  type StreamLogOptions,
} from "../../dynamodb/streams/streamLog";

export const REGION = "eu-west-1";
export const ACCOUNT = "123456789012";

/** A table with a stream and an index. */
export const EVENTS: TableDefinition = {
  tableName: "events",
  hashKey: "event_id",
  rangeKey: "event_timestamp",
  attributes: ["event_id", "event_timestamp", "event_status"].map((name) => ({ name, type: "S" })),
  globalSecondaryIndexes: [
    {
      name: "time-index",
      hashKey: "event_status",
      rangeKey: "event_timestamp",
      projectionType: "ALL",
    },
  ],
  streamViewType: "NEW_AND_OLD_IMAGES",
};

export const keyOf = (id: string) => ({
  event_id: { S: id },
  event_timestamp: { S: "2026-01-01" },
});

export const itemOf = (id: string, status = "uploaded") => ({
  ...keyOf(id),
  event_status: { S: status },
});

/** Calls an operation through `handle`, as the SDK would. */
export async function call(db: DynamoDbEngine, operation: string, input: unknown) {
  const response = await db.handle({
    method: "POST",
    url: "/",
    headers: { "x-amz-target": `DynamoDB_20120810.${operation}` },
    body: Buffer.from(JSON.stringify(input)),
  });
  const answer = JSON.parse(response.body.toString()) as Record<string, unknown>;
  return { status: response.status, answer };
}

/** A folder that is gone after the test. */
export async function inFolder(use: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = fs.mkdtempSync(join(os.tmpdir(), "dynamodb-"));
  try {
    await use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

export function openLog(options: Partial<StreamLogOptions> = {}): StreamLog {
  return createStreamLog({
    streamArn: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/events/stream/2026-01-01T00:00:00.000`,
    region: REGION,
    streamViewType: "NEW_AND_OLD_IMAGES",
    partitionKey: "event_id",
    ...options,
  });
}

export function insertOf(id: string, status?: string): ItemChange {
  return { eventName: "INSERT", keys: keyOf(id), newImage: itemOf(id, status) };
}

/** Appends changes whose rows are written at once. */
export function insert(log: StreamLog, ...ids: string[]): void {
  for (const id of ids) {
    log.append(insertOf(id))(true);
  }
}
