import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { DynamoDBClient, PutItemCommand, type PutItemCommandInput } from "@aws-sdk/client-dynamodb";
import { failedEvent, itemOf } from "../../testing/events";
import type { World } from "../world";

/** What the program of each generated client reads. */
interface Input {
  managerUrl: string;
  managerKey: string;
  /** The upload API's URL before `/upload`. */
  uploadBaseUrl: string;
  /** A failed event. */
  failedId: string;
  /** A span with one more failed event. */
  from: string;
  to: string;
}

/** Years of failed events: each program has one of its own. */
let year = 2000;

interface Stored {
  bucket: string;
  key: string;
  size: number;
}

async function put(world: World, { bucket, key, size }: Stored, time: string): Promise<string> {
  const { endpoint, region, accessKeyId, secretAccessKey, outputs } = world;
  const client = new DynamoDBClient({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
  });
  const event = failedEvent({
    event_id: randomUUID(),
    event_timestamp: time,
    updated_at: time,
    // Not reported again.
    alarmed_at: time,
    failed_from: "processed",
    event_info: { Bucket: bucket, Key: key, Size: size },
  });
  await client.send(
    new PutItemCommand({
      TableName: outputs.tableName,
      Item: itemOf(event) as PutItemCommandInput["Item"],
    }),
  );
  client.destroy();
  return event.event_id;
}

/** Makes failed events of a stored file. @returns the file of a program's input */
export async function writeInput(world: World, folder: string): Promise<string> {
  const { managerUrl = "", managerApiKey = "", uploadUrl = "" } = world.outputs;
  const answer = await fetch(`${uploadUrl}?filename=failed.txt`, {
    method: "POST",
    body: "failed",
  });
  const stored = (await answer.json()) as Stored;
  year++;
  await put(world, stored, `${year}-03-01T00:00:00.000Z`);
  // Outside of the span.
  await put(world, stored, `${year}-09-01T00:00:00.000Z`);
  const input: Input = {
    managerUrl,
    managerKey: managerApiKey,
    uploadBaseUrl: uploadUrl.replace(/\/upload$/, ""),
    failedId: await put(world, stored, `${year}-12-01T00:00:00.000Z`),
    from: `${year}-01-01`,
    to: `${year}-06-01t00:00:00+01:00`,
  };
  const file = path.join(folder, "input.json");
  writeFileSync(file, JSON.stringify(input));
  return file;
}

/** Fetches the description, with the URLs of this run. @returns its file */
export async function writeDescription(world: World, folder: string): Promise<string> {
  const { managerUrl = "", managerApiKey = "" } = world.outputs;
  const headers = { "x-api-key": managerApiKey };
  const answer = await fetch(`${managerUrl}/openapi.json`, { headers });
  const file = path.join(folder, "openapi.json");
  writeFileSync(file, await answer.text());
  return file;
}
