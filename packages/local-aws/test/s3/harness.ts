import { S3Client } from "@aws-sdk/client-s3";
import { createFauxqs, type Fauxqs } from "../../fauxqs";
import { createS3, type ObjectCreated, type S3 } from "../../s3/engine";
import { credentials, s3Error, serve } from "./serve";

export interface Harness {
  fauxqs: Fauxqs;
  s3: S3;
  client: S3Client;
  url: string;
  /** The events that the listener got, oldest first. */
  events: ObjectCreated[];
  close(): Promise<void>;
}

/** S3 with a bucket named `files`, behind HTTP. */
export async function startS3(dataDir?: string): Promise<Harness> {
  const fauxqs = await createFauxqs({ baseUrl: "http://127.0.0.1:1", dataDir });
  const s3 = createS3({ fauxqs });
  s3.createBucket("files");
  const events: ObjectCreated[] = [];
  s3.onObjectCreated((event) => events.push(event));
  const server = await serve((request) => s3.handle(request), s3Error);
  const client = new S3Client({
    endpoint: server.url,
    region: "us-east-1",
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
  });
  return {
    fauxqs,
    s3,
    client,
    url: server.url,
    events,
    async close() {
      client.destroy();
      await server.close();
      await fauxqs.close();
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
