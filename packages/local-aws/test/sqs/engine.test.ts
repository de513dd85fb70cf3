import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { expect } from "chai";
import type { AwsError } from "../../awsError";
import { createFauxqs } from "../../fauxqs/fauxqs";
import type { HttpRequest } from "../../http";
import { createSqs } from "../../sqs/engine";
import { credentials, s3Error, serve } from "../s3/serve";
import { openCloud, REGION, type TestCloud } from "../testCloud";

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

    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "ünï 😀" }));
    const invalid = await Promise.allSettled(
      ["\u0001", "\uFFFE"].map((MessageBody) =>
        client.send(new SendMessageCommand({ QueueUrl, MessageBody })),
      ),
    );
    expect(invalid.map(({ status }) => status)).to.deep.equal(["rejected", "rejected"]);
    await queues.sendMessage(arn, "failed", { ErrorCode: "200" });
    const { Messages } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ["All"],
      }),
    );
    expect(Messages?.map(({ Body }) => Body)).to.deep.equal(["ünï 😀", "failed"]);
    expect(Messages?.[1]?.MessageAttributes?.ErrorCode?.StringValue).to.equal("200");

    const poll = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    await polling;
    // Served in order: once this one is answered, the poll before it waits in its handler.
    await queues.sendMessage(queues.createQueue("other").arn, "x");
    const start = performance.now();
    await fauxqs.close();
    expect((await poll).Messages).to.equal(undefined);
    // Of the 20 seconds of the poll.
    expect(performance.now() - start).to.be.lessThan(15_000);
    client.destroy();
    await server.close();
  });

  describe("for clients", () => {
    let test: TestCloud;
    let client: SQSClient;
    let QueueUrl: string;
    let onReceive: (request: HttpRequest) => void;

    beforeEach(async () => {
      onReceive = () => undefined;
      test = await openCloud({
        intercept: ({ operation, request }, forward) => {
          if (operation === "sqs:ReceiveMessage") {
            onReceive(request);
          }
          return forward();
        },
      });
      const { endpoint, roles } = test.cloud;
      client = new SQSClient({ endpoint, region: REGION, credentials: roles.operator });
      QueueUrl = test.cloud.sqs.createQueue("jobs").url;
    });
    afterEach(async () => {
      client.destroy();
      await test.close();
    });

    const send = (MessageBody: string) =>
      client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    const receive = async (input: object = {}): Promise<Message> => {
      const { Messages } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MessageSystemAttributeNames: ["ApproximateReceiveCount"],
          ...input,
        }),
      );
      return Messages?.[0] ?? {};
    };

    it("keeps a message for others where the client of a long poll has gone", async () => {
      const left = new AbortController();
      const requested = new Promise<HttpRequest>((resolve) => (onReceive = resolve));
      const poll = client
        .send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), {
          abortSignal: left.signal,
        })
        .catch(() => undefined);
      const request = await requested;
      // Served in order: once this one is answered, the poll before it waits.
      await client.send(new GetQueueUrlCommand({ QueueName: "jobs" }));
      const gone = new Promise<void>((resolve) => request.onClientGone?.(resolve));
      left.abort();
      await Promise.all([poll, gone]);

      await send("one");
      const [message] = test.queueMessages(QueueUrl);
      const { Body, Attributes } = await receive();

      expect(message).to.deep.include({ receiveCount: 0, inFlight: false });
      expect(Body).to.equal("one");
      expect(Attributes).to.deep.equal({ ApproximateReceiveCount: "1" });
    });

    it("gives a message to a long poll as soon as it is sent", async () => {
      const requested = new Promise<HttpRequest>((resolve) => (onReceive = resolve));
      const poll = receive({ WaitTimeSeconds: 20 });
      await requested;
      await client.send(new GetQueueUrlCommand({ QueueName: "jobs" }));
      await send("one");

      expect((await poll).Body).to.equal("one");
    });

    it("refuses a receipt handle that the queue did not give, also in a batch", async () => {
      const { url: otherUrl } = test.cloud.sqs.createQueue("others");
      await client.send(new SendMessageCommand({ QueueUrl: otherUrl, MessageBody: "other" }));
      const { ReceiptHandle: foreign = "" } = await receive({ QueueUrl: otherUrl });
      await send("one");
      const { ReceiptHandle: own = "" } = await receive();
      const entry = { VisibilityTimeout: 60 };
      const outcome = (call: Promise<unknown>): Promise<unknown> =>
        call.then(
          () => "done",
          (error: unknown) => (error as Error).name,
        );

      for (const ReceiptHandle of ["x", foreign, own.slice(1), own.slice(0, -4), `${own}AAAA`]) {
        const deleted = new DeleteMessageCommand({ QueueUrl, ReceiptHandle });
        const changed = new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, ...entry });
        expect(await outcome(client.send(deleted))).to.equal("ReceiptHandleIsInvalid");
        expect(await outcome(client.send(changed))).to.equal("ReceiptHandleIsInvalid");
      }
      const entries = [
        { Id: "foreign", ReceiptHandle: foreign, ...entry },
        { Id: "own", ReceiptHandle: own, ...entry },
        { Id: "garbage", ReceiptHandle: "x", ...entry },
      ];
      for (const sendBatch of [
        () => client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: entries })),
        () => client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: entries })),
      ]) {
        const { Successful, Failed } = await sendBatch();
        expect(Successful).to.deep.equal([{ Id: "own" }]);
        expect(Failed?.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault])).to.deep.equal([
          ["foreign", "ReceiptHandleIsInvalid", true],
          ["garbage", "ReceiptHandleIsInvalid", true],
        ]);
      }
      expect(test.queueMessages(QueueUrl)).to.deep.equal([]);
      expect(test.queueMessages(otherUrl)).to.have.length(1);
      const again = new DeleteMessageCommand({ QueueUrl, ReceiptHandle: own });
      expect(await outcome(client.send(again)), "a second delete").to.equal("done");
    });
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
