// A process for fauxqs.test.ts to kill: it writes, reports it, and waits.
import { createFauxqs } from "../../fauxqs/fauxqs";
import { createS3 } from "../../s3/engine";
import { createObjectStore } from "../../s3/store/objectStore";
import { createSqs } from "../../sqs/engine";

async function main(): Promise<void> {
  const [dataDir = "", key = ""] = process.argv.slice(2);
  const fauxqs = await createFauxqs({ baseUrl: "http://127.0.0.1:1", dataDir });
  const sqs = createSqs({ fauxqs });
  const { arn } = sqs.createQueue("failures", { VisibilityTimeout: "5" });
  await sqs.sendMessage(arn, "kept");

  const s3 = createS3({ store: createObjectStore({ folder: dataDir }), region: "us-east-1" });
  s3.createBucket("files");
  s3.onObjectCreated(({ sequencer }) => process.send?.(sequencer));
  await s3.handle({
    method: "PUT",
    url: `/files/${encodeURIComponent(key)}`,
    headers: { "x-amz-meta-owner": "me" },
    body: Buffer.from("x".repeat(100_000)),
  });
  setInterval(() => undefined, 1000);
}

void main();
