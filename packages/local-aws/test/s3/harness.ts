import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { createS3, type ObjectCreated, type S3 } from "../../s3/engine";
import { createObjectStore } from "../../s3/store/objectStore";
import { credentials, s3Error, serve } from "./serve";

export interface Harness {
  s3: S3;
  client: S3Client;
  url: string;
  /** The events that the listener got, oldest first. */
  events: ObjectCreated[];
  close(): Promise<void>;
}

/**
 * S3 with a bucket named `files`, behind HTTP.
 *
 * @param dataDir @default a temporary folder, which is removed at the end
 */
export async function startS3(dataDir?: string): Promise<Harness> {
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), "s3-"));
  const store = createObjectStore({ folder });
  const s3 = createS3({ store, region: "us-east-1" });
  s3.createBucket("files");
  const events: ObjectCreated[] = [];
  s3.onObjectCreated((event) => events.push(event));
  const server = await serve(
    (request) => s3.handle(request),
    s3Error,
    (request) => s3.receiverOf(request),
  );
  const client = new S3Client({
    endpoint: server.url,
    region: "us-east-1",
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
  });
  return {
    s3,
    client,
    url: server.url,
    events,
    async close() {
      client.destroy();
      await server.close();
      await store.close();
      if (dataDir === undefined) {
        rmSync(folder, { recursive: true });
      }
    },
  };
}

/** The error that a call fails with. */
export async function failure(call: Promise<unknown>): Promise<{ name: string; status?: number }> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) {
    throw new Error("The call succeeded, but an error was expected.");
  }
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return { name: error.name, status: $metadata?.httpStatusCode };
}
