import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { createFauxqs, type Fauxqs } from "../../fauxqs/fauxqs";
import { createSqs } from "../../sqs/engine";
import { startS3 } from "../s3/harness";
import { credentials, s3Error, serve } from "../s3/serve";

const KEY = "a b//../ünï%2F";

describe("the data folder of S3 and SQS", () => {
  let dataDir: string;
  beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), "fauxqs-"))));
  afterEach(() => {
    rmSync(dataDir, { recursive: true });
  });

  it("survives kill -9, with nothing half written", async () => {
    const child = fork(join(__dirname, "../s3/crashingWriter.ts"), [dataDir, KEY], {
      execArgv: ["--require", join(__dirname, "../../../../tooling/register.js")],
    });
    const [sequencer] = (await once(child, "message")) as [string];
    child.kill("SIGKILL");
    await once(child, "exit");

    const harness = await startS3(dataDir);
    try {
      const object = { Bucket: "files", Key: KEY };
      const { Body, Metadata } = await harness.client.send(new GetObjectCommand(object));
      expect(await Body?.transformToString()).to.equal("x".repeat(100_000));
      expect(Metadata).to.deep.equal({ owner: "me" });
      await harness.client.send(new PutObjectCommand({ ...object, Body: "new" }));
      expect(harness.events[0]?.sequencer.localeCompare(sequencer)).to.equal(1);
      const { ContentLength } = await harness.client.send(new HeadObjectCommand(object));
      expect(ContentLength).to.equal(3);

      const fauxqs = await createFauxqs({ baseUrl: "http://127.0.0.1:1", dataDir });
      const { arn } = createSqs({ fauxqs }).createQueue("failures", { VisibilityTimeout: "7" });
      expect(await receive(fauxqs)).to.deep.equal(["kept"]);
      expect(arn).to.equal("arn:aws:sqs:us-east-1:000000000000:failures");
      await fauxqs.close();
    } finally {
      await harness.close();
    }
  });

  it("gives queues of earlier runs the URL of this run", async () => {
    const first = await createFauxqs({ baseUrl: "http://127.0.0.1:1111", dataDir });
    const { url } = createSqs({ fauxqs: first }).createQueue("failures");
    expect(url).to.equal("http://127.0.0.1:1111/000000000000/failures");
    await first.close();
    const second = await createFauxqs({ baseUrl: "http://127.0.0.1:2222/", dataDir });
    expect(createSqs({ fauxqs: second }).createQueue("failures").url).to.equal(
      "http://127.0.0.1:2222/000000000000/failures",
    );
    await second.close();
  });

  it("forgets topics, whose subscriptions may have changed", async () => {
    const first = await createFauxqs({ baseUrl: "http://127.0.0.1:1", dataDir });
    const { arn } = first.snsStore.createTopic("gone", undefined, undefined, "us-east-1");
    await first.close();
    const second = await createFauxqs({ baseUrl: "http://127.0.0.1:1", dataDir });
    expect(second.snsStore.getTopic(arn)).to.equal(undefined);
    await second.close();
  });
});

async function receive(fauxqs: Fauxqs): Promise<string[]> {
  const server = await serve((request) => fauxqs.handle(request), s3Error);
  const client = new SQSClient({ endpoint: server.url, region: "us-east-1", credentials });
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: "failures" }));
  const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
  client.destroy();
  await server.close();
  return Messages?.map(({ Body }) => Body ?? "") ?? [];
}
