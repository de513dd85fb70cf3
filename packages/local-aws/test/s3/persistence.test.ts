import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import {
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { expect } from "chai";
import type { AwsError } from "../../awsError";
import { createFauxqs, type Fauxqs } from "../../fauxqs";
import { startS3 } from "./harness";
import { credentials, s3Error, serve } from "./serve";

const KEY = "a b//../ünï%2F";

describe("what fauxqs keeps", () => {
  let dataDir: string;
  beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), "fauxqs-"))));
  afterEach(() => {
    rmSync(dataDir, { recursive: true });
  });

  it("survives kill -9, with nothing half written", async () => {
    const child = fork(join(__dirname, "victim.ts"), [dataDir, KEY], {
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

      const { arn } = harness.fauxqs.createQueue("failures", { VisibilityTimeout: "7" });
      expect(await receive(harness.fauxqs)).to.deep.equal(["kept"]);
      expect(arn).to.equal("arn:aws:sqs:us-east-1:000000000000:failures");
    } finally {
      await harness.close();
    }
  });

  it("gives queues of earlier runs the URL of this run", async () => {
    const first = await createFauxqs({ baseUrl: "http://127.0.0.1:1111", dataDir });
    const { url } = first.createQueue("failures");
    expect(url).to.equal("http://127.0.0.1:1111/000000000000/failures");
    await first.close();
    const second = await createFauxqs({ baseUrl: "http://127.0.0.1:2222/", dataDir });
    expect(second.createQueue("failures").url).to.equal(
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

describe("local SQS", () => {
  it("serves the SDK, and ends a long poll when it closes", async () => {
    const fauxqs = await createFauxqs({ baseUrl: "http://127.0.0.1:1" });
    let polled = (): void => undefined;
    const polling = new Promise<void>((resolve) => (polled = resolve));
    const server = await serve((request) => {
      const answer = fauxqs.handle(request);
      if (request.body.includes('"WaitTimeSeconds":20')) {
        polled();
      }
      return answer;
    }, s3Error);
    const client = new SQSClient({ endpoint: server.url, region: "us-east-1", credentials });
    const { url, arn } = fauxqs.createQueue("jobs");
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: "jobs" }));
    expect(QueueUrl).to.equal(url);

    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "ünï" }));
    await fauxqs.sendMessage(arn, "failed", { ErrorCode: "200" });
    const { Messages } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ["All"],
      }),
    );
    expect(Messages?.map(({ Body }) => Body)).to.deep.equal(["ünï", "failed"]);
    expect(Messages?.[1]?.MessageAttributes?.ErrorCode?.StringValue).to.equal("200");

    const poll = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    await polling;
    // Served in order: once this one is answered, the poll before it waits in its handler.
    await fauxqs.sendMessage(fauxqs.createQueue("other").arn, "x");
    const start = performance.now();
    await fauxqs.close();
    expect((await poll).Messages).to.equal(undefined);
    expect(performance.now() - start).to.be.lessThan(1000);
    client.destroy();
    await server.close();
  });

  it("refuses a message for a queue that is not there, and one that is too large", async () => {
    const fauxqs = await createFauxqs({ baseUrl: "http://127.0.0.1:1" });
    const { arn } = fauxqs.createQueue("jobs");
    const refused = (queueArn: string, body: string) =>
      fauxqs.sendMessage(queueArn, body).catch((error: unknown) => (error as AwsError).code);
    expect(await refused(`${arn}2`, "x")).to.equal("QueueDoesNotExist");
    expect(await refused(arn, "x".repeat(2 << 20))).to.equal("InvalidParameterValue");
    await fauxqs.close();
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
