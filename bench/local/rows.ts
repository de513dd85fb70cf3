import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { DynamoDbEngine } from "local-aws";
import type { FileEvent } from "../../events/event";
import { newItem, toMap } from "../../events/item";

/** The most that one BatchWriteItem takes. */
const BATCH_ROWS = 25;

/** Requests under way at a time. */
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

/** The row at a place of the order in time; its event is over, so that no Lambda starts for it. */
export type RowAt = (place: number) => object;

export const notifiedRow: RowAt = (place) => ({
  ...newItem(finishedEvent(place)),
  event_result: RESULT,
});

/** As `notifiedRow`, but of each five events one has failed, and people were told of it. */
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
 * Puts finished events straight into a table, past the front door. Its stream tells of them, and
 * the filters of its mappings start no Lambda for them.
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
      // The stream is read meanwhile.
      await setImmediate();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}
