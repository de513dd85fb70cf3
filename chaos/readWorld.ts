import { createHash } from "node:crypto";
import * as path from "node:path";
import {
  GetObjectCommand,
  NoSuchKey,
  paginateListObjectsV2,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { FileEvent } from "../events/event";
import { forEachOrThrow } from "../runtime/concurrency";
import { type Clients, eventPages } from "../testing/clients";
import { Spool } from "./observe/spool";
import type { StoredObject, World } from "./world";

/** The stack's outputs that a client needs. */
export interface Outputs {
  uploadUrl: string;
  uploadApiKey?: string;
  bucketName: string;
  tableName: string;
  managerUrl: string;
  managerApiKey: string;
}

/** What is read from bucket, table and API. */
export type Stored = Pick<World, "objects" | "rows" | "stats">;

/** @returns undefined for an object that is gone meanwhile: a run that is not drained moves */
async function sha256Of(s3: S3Client, Bucket: string, Key: string): Promise<string | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
    return createHash("sha256").update(bytes).digest("hex");
  } catch (error) {
    if (error instanceof NoSuchKey) {
      return undefined;
    }
    throw error;
  }
}

/** The keys of all objects of a bucket. */
export async function listKeys(s3: S3Client, Bucket: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { Contents: contents = [] } of paginateListObjectsV2(
    { client: s3 },
    { Bucket },
  )) {
    keys.push(...contents.map(({ Key = "" }) => Key));
  }
  return keys;
}

/** Every object of the bucket, with the checksum of its bytes. */
async function readObjects(
  s3: S3Client,
  bucket: string,
  objects: Spool<StoredObject>,
): Promise<void> {
  for await (const { Contents: contents = [] } of paginateListObjectsV2(
    { client: s3 },
    { Bucket: bucket },
  )) {
    await forEachOrThrow(contents, async ({ Key: key = "", Size: size = 0, ETag = "" }) => {
      const sha256 = await sha256Of(s3, bucket, key);
      if (sha256 !== undefined) {
        objects.push({ key, size, eTag: ETag.replaceAll('"', ""), sha256 });
      }
    });
  }
}

/** The counts by status of the manager's `GET /stats`. */
async function readStats({ managerUrl, managerApiKey }: Outputs): Promise<World["stats"]> {
  const headers = { "x-api-key": managerApiKey };
  const answer = await fetch(`${managerUrl}/stats`, { headers });
  if (!answer.ok) {
    throw new Error(`GET /stats was answered ${answer.status}: ${await answer.text()}`);
  }
  return ((await answer.json()) as { counts: World["stats"] }).counts;
}

/** Reads what is stored, into files of the folder. */
export async function readStored(
  { s3, dynamo }: Pick<Clients, "s3" | "dynamo">,
  outputs: Outputs,
  folder: string,
): Promise<Stored> {
  const rows = new Spool<FileEvent>(path.join(folder, "rows.jsonl"));
  for await (const page of eventPages(dynamo, outputs.tableName)) {
    for (const row of page) {
      rows.push(row);
    }
  }
  const objects = new Spool<StoredObject>(path.join(folder, "objects.jsonl"));
  await readObjects(s3, outputs.bucketName, objects);
  return { objects, rows, stats: await readStats(outputs) };
}
