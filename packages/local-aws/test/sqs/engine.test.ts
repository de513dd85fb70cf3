import {
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { expect } from "chai";
import type { AwsError } from "../../awsError";
import { createFauxqs } from "../../fauxqs/fauxqs";
import { createSqs } from "../../sqs/engine";
import { credentials, s3Error, serve } from "../s3/serve";

describe("local SQS", () => {
  it("serves the SDK, and ends a long poll when it closes", async () => {
    const fauxqs = await createFauxqs({ baseUrl: "http://127.0.0.1:1" });
    const queues = createSqs({ fauxqs });
    let polled = (): void => undefined;
    const polling = new Promise<void>((resolve) => (polled = resolve));
    const server = await serve((request) => {
      const answer = queues.handle(request);
      if (request.body.includes('"WaitTimeSeconds":20')) {
        polled();
      }
      return answer;
    }, s3Error);
    const client = new SQSClient({ endpoint: server.url, region: "us-east-1", credentials });
    const { url, arn } = queues.createQueue("jobs");
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: "jobs" }));
    expect(QueueUrl).to.equal(url);

    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "ünï" }));
    await queues.sendMessage(arn, "failed", { ErrorCode: "200" });
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
    await queues.sendMessage(queues.createQueue("other").arn, "x");
    const start = performance.now();
    await fauxqs.close();
    expect((await poll).Messages).to.equal(undefined);
    expect(performance.now() - start).to.be.lessThan(1000);
    client.destroy();
    await server.close();
  });

  it("refuses a message for a queue that does not exist, and one that is too large", async () => {
    const fauxqs = await createFauxqs({ baseUrl: "http://127.0.0.1:1" });
    const queues = createSqs({ fauxqs });
    const { arn } = queues.createQueue("jobs");
    const refused = (queueArn: string, body: string) =>
      queues.sendMessage(queueArn, body).catch((error: unknown) => (error as AwsError).code);
    expect(await refused(`${arn}2`, "x")).to.equal("QueueDoesNotExist");
    expect(await refused(arn, "x".repeat(2 << 20))).to.equal("InvalidParameterValue");
    await fauxqs.close();
  });
});
