import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { DynamoDbEngine } from "local-aws";
import type { FileEvent } from "../events/event";
import { newItem, toMap } from "../events/item";

/** The most that one BatchWriteItem takes. */
const BATCH_ROWS = 25;

/** Concurrent requests. */
const CONCURRENCY = 8;

const MILLISECONDS_APART = 100;

function finishedEvent(place: number): FileEvent {
  const time = new Date(Date.UTC(2026, 0, 1) + place * MILLISECONDS_APART).toISOString();
  const id = randomUUID();
  const fileName = `file-${place}.jpg`;
  return {
    event_id: id,
    event_timestamp: time,
    event_status: "notified",
    updated_at: time,
    event_info: {
      Bucket: "uploads",
      Key: `uploads/${time}/${id}/${fileName}`,
      Size: 78_012,
      ContentType: "image/jpeg",
      FileName: fileName,
    },
  };
}

const RESULT = toMap({ size: 78_012, type: "image/jpeg", width: 640, height: 480 });

/** The row at a position in time order. No stream Lambda is invoked for its status. */
export type RowAt = (place: number) => object;

export const notifiedRow: RowAt = (place) => ({
  ...newItem(finishedEvent(place)),
  event_result: RESULT,
});

/** Like `notifiedRow`, but every fifth event has failed, with its alarm sent. */
export const mixedRow: RowAt = (place) => {
  if (place % 5 > 0) {
    return notifiedRow(place);
  }
  const event = finishedEvent(place);
  return {
    ...newItem({ ...event, event_status: "failed" }),
    failed_from: { S: "uploaded" },
    last_error: { S: '{"code":"AccessDenied","message":"Access Denied","step":"process"}' },
    alarmed_at: { S: event.updated_at },
  };
};

async function putBatch(
  engine: Pick<DynamoDbEngine, "handle">,
  tableName: string,
  items: object[],
): Promise<void> {
  const { status, body } = await engine.handle({
    method: "POST",
    url: "/",
    headers: { "x-amz-target": "DynamoDB_20120810.BatchWriteItem" },
    body: Buffer.from(JSON.stringify({ RequestItems: { [tableName]: items } })),
  });
  if (status !== 200) {
    throw new Error(`Rows could not be put: ${status} ${body.toString()}`);
  }
}

/**
 * Puts finished events directly into the table's engine, past the gateway. They appear in the
 * stream; the filters of its mappings invoke no Lambda for them.
 */
export async function putRows(
  engine: Pick<DynamoDbEngine, "handle">,
  tableName: string,
  rows: number,
  rowAt = notifiedRow,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < rows) {
      const first = next;
      next = Math.min(rows, first + BATCH_ROWS);
      const places = Array.from({ length: next - first }, (_, i) => first + i);
      await putBatch(
        engine,
        tableName,
        places.map((place) => ({ PutRequest: { Item: rowAt(place) } })),
      );
      // Lets the stream's readers run.
      await setImmediate();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}
