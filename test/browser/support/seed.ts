import { randomUUID } from "node:crypto";
import { type AttributeValue, BatchWriteItemCommand } from "@aws-sdk/client-dynamodb";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { FileEvent } from "../../../events/event";
import { clientsOf } from "../../../testing/clients";
import { failedEvent, itemOf, processedEvent } from "../../../testing/events";
import type { World } from "./world";

/** DynamoDB's most. */
const BATCH = 25;

/** Batches that are written at the same time. */
const WRITERS = 8;

/** Writes rows as they are: nothing happens to those that are `notified` or `failed`. */
export async function putEvents({ run }: World, events: FileEvent[]): Promise<void> {
  const { dynamo, destroy } = clientsOf(run);
  const table = String(run.outputs.tableName);
  const batches = Array.from({ length: Math.ceil(events.length / BATCH) }, (_, index) =>
    events.slice(index * BATCH, (index + 1) * BATCH),
  );
  const write = async () => {
    for (let batch = batches.pop(); batch; batch = batches.pop()) {
      const requests = batch.map((event) => ({
        PutRequest: { Item: itemOf(event) as Record<string, AttributeValue> },
      }));
      await dynamo.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests } }));
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  destroy();
}

/** A finished event of this name and age in seconds, without a file. */
export function finishedEvent(name: string, ageSeconds: number): FileEvent {
  const event_timestamp = new Date(Date.now() - ageSeconds * 1000).toISOString();
  return processedEvent({
    event_id: randomUUID(),
    event_timestamp,
    event_status: "notified",
    event_info: { Bucket: "files", Key: `finished/${name}`, Size: 1234, FileName: name },
    updated_at: event_timestamp,
  });
}

/** A failed event of a file that is stored: a retry succeeds. */
export async function putFailedFile(world: World, name: string): Promise<FileEvent> {
  const { s3, destroy } = clientsOf(world.run);
  const object = { Bucket: String(world.run.outputs.bucketName), Key: `stored/${name}` };
  const { ETag } = await s3.send(
    new PutObjectCommand({ ...object, Body: name, ContentType: "text/plain" }),
  );
  destroy();
  const { event_id, event_timestamp } = finishedEvent(name, 0);
  const event = failedEvent({
    event_id,
    event_timestamp,
    updated_at: event_timestamp,
    event_info: { ...object, Size: name.length, ETag, FileName: name },
    event_history: [
      { status: "uploaded", time: event_timestamp, function: "upload" },
      { status: "failed", time: event_timestamp, function: "process", code: "NoSuchKey" },
    ],
  });
  await putEvents(world, [event]);
  return event;
}

/** Uploads a file by the upload API. @returns its event's id */
export async function upload(
  { run }: World,
  name: string,
  body: Uint8Array | string,
  type: string,
): Promise<string> {
  const url = `${String(run.outputs.uploadUrl)}?filename=${encodeURIComponent(name)}`;
  const answer = await fetch(url, { method: "POST", headers: { "Content-Type": type }, body });
  return ((await answer.json()) as { event_id: string }).event_id;
}
