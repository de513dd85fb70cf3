import {
  PublishBatchCommand,
  PublishCommand,
  SNSClient,
  SubscribeCommand,
} from "@aws-sdk/client-sns";
import { expect } from "chai";
import { createFauxqs, type Fauxqs } from "../../fauxqs/fauxqs";
import { createSns, type EmailDelivery, type Sns } from "../../sns/engine";
import { createSqs } from "../../sqs/engine";
import { openSecret } from "../../storage/secret";
import { failure } from "../s3/harness";
import { credentials, serve, snsError } from "../s3/serve";

describe("local SNS", () => {
  let fauxqs: Fauxqs;
  let sns: Sns;
  let client: SNSClient;
  let server: { url: string; close: () => Promise<void> };
  let TopicArn: string;
  const deliveries: EmailDelivery[] = [];
  let brokenDisk = false;

  before(async () => {
    fauxqs = await createFauxqs({ baseUrl: "http://127.0.0.1:1", region: "eu-west-1" });
    sns = createSns({
      fauxqs,
      secret: openSecret(undefined),
      pagesUrl: "http://127.0.0.1:1/_sns",
      deliver: async (mail) => {
        await Promise.resolve();
        if (brokenDisk) {
          throw new Error("disk full");
        }
        deliveries.push(mail);
      },
    });
    server = await serve((request) => sns.handle(request), snsError);
    const { url: endpoint } = server;
    client = new SNSClient({ endpoint, region: "eu-west-1", credentials, maxAttempts: 1 });
    TopicArn = sns.createTopic("done");
    sns.subscribeEmail(TopicArn, "me+files@example.com");
  });
  after(async () => {
    client.destroy();
    await server.close();
    await fauxqs.close();
  });
  beforeEach(() => {
    deliveries.length = 0;
    brokenDisk = false;
  });

  const publish = (Message: string, extra = {}) =>
    client.send(new PublishCommand({ TopicArn, Message, ...extra }));

  it("creates one topic per name", () => {
    expect(TopicArn).to.equal("arn:aws:sns:eu-west-1:000000000000:done");
    expect(sns.createTopic("done")).to.equal(TopicArn);
  });

  it("delivers a message to the address before it answers", async () => {
    const { MessageId } = await publish("héllo & 写真 +%\n", { Subject: "File (1) done!" });
    expect(deliveries).to.have.length(1);
    const { timestamp, unsubscribeUrl, ...mail } = deliveries[0] ?? expect.fail();
    expect(timestamp).to.be.an.instanceOf(Date);
    expect(unsubscribeUrl).to.contain("http://127.0.0.1:1/_sns/unsubscribe?SubscriptionArn=arn");
    expect(mail).to.deep.equal({
      topicArn: TopicArn,
      topicName: "done",
      address: "me+files@example.com",
      subject: "File (1) done!",
      message: "héllo & 写真 +%\n",
      messageId: MessageId,
    });
  });

  it("delivers to every address of the topic, and to no other topic's", async () => {
    const topicArn = sns.createTopic("two");
    sns.subscribeEmail(topicArn, "a@example.com");
    sns.subscribeEmail(topicArn, "a@example.com");
    sns.subscribeEmail(topicArn, "b@example.com");
    await publish("x", { TopicArn: topicArn });
    const addresses = deliveries.map((mail) => mail.address);
    expect(addresses).to.deep.equal(["a@example.com", "b@example.com"]);
  });

  it("still sends to queues", async () => {
    const { arn, url } = createSqs({ fauxqs }).createQueue("copies");
    const topic = { TopicArn: sns.createTopic("queued"), Protocol: "sqs", Endpoint: arn };
    await client.send(new SubscribeCommand(topic));
    await publish("for the queue", { TopicArn: topic.TopicArn });
    const answer = await fauxqs.handle({
      method: "POST",
      url: "/",
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": "AmazonSQS.ReceiveMessage",
      },
      body: Buffer.from(JSON.stringify({ QueueUrl: url })),
    });
    expect(answer.body.toString()).to.include("for the queue");
    expect(deliveries).to.have.length(0);
  });

  it("uses the e-mail text of a JSON message", async () => {
    const texts = JSON.stringify({ default: "short", email: "long" });
    await publish(texts, { MessageStructure: "json" });
    await publish(JSON.stringify({ default: "only" }), { MessageStructure: "json" });
    expect(deliveries.map((mail) => mail.message)).to.deep.equal(["long", "only"]);
    const noDefault = publish("{}", { MessageStructure: "json" });
    expect((await failure(noDefault)).name).to.equal("InvalidParameterException");
  });

  const refused: [string, string, object][] = [
    ["an empty message", "", {}],
    ["a message over 262,144 bytes", "ü".repeat(131_073), {}],
    ["a subject over 100 characters", "x", { Subject: "x".repeat(101) }],
    ["a subject with a line break", "x", { Subject: "a\nBcc: b@example.com" }],
    ["a subject with a control character", "x", { Subject: "a\u0007" }],
    ["a subject that is not ASCII", "x", { Subject: "写真" }],
    ["an empty subject", "x", { Subject: "" }],
  ];
  for (const [what, message, extra] of refused) {
    it(`refuses ${what}`, async () => {
      const refusal = await failure(publish(message, extra));
      expect(refusal).to.deep.equal({ name: "InvalidParameterException", status: 400 });
      expect(deliveries).to.have.length(0);
    });
  }

  it("accepts the largest message and the longest subject", async () => {
    await publish("ü".repeat(131_072), { Subject: "x".repeat(100) });
    expect(deliveries).to.have.length(1);
  });

  it("refuses a missing topic", async () => {
    const unknown = `${TopicArn}2`;
    const refusal = await failure(publish("x", { TopicArn: unknown }));
    expect(refusal).to.deep.equal({ name: "NotFoundException", status: 404 });
    expect(() => sns.subscribeEmail(unknown, "a@example.com")).to.throw("Topic does not exist");
  });

  for (const address of [
    "",
    "me",
    "me@",
    "me@host",
    "a b@example.com",
    "a@example.com\nBcc: b@c.d",
  ]) {
    it(`refuses the address ${JSON.stringify(address)}`, async () => {
      expect(() => sns.subscribeEmail(TopicArn, address)).to.throw("Invalid parameter");
      const by = { TopicArn, Protocol: "email", Endpoint: address };
      const refusal = await failure(client.send(new SubscribeCommand(by)));
      expect(refusal.name).to.equal("InvalidParameterException");
    });
  }

  it("gives the publisher an error when a mail cannot be delivered", async () => {
    brokenDisk = true;
    expect((await failure(publish("x"))).status).to.equal(599);
  });

  describe("PublishBatch", () => {
    const batch = (
      PublishBatchRequestEntries: { Id: string; Message: string; Subject?: string }[],
    ) => client.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }));

    it("delivers the good entries and names the bad ones", async () => {
      const { Successful, Failed } = await batch([
        { Id: "1", Message: "one", Subject: "First" },
        { Id: "2", Message: "two", Subject: "no\nsubject" },
        { Id: "3", Message: "" },
        { Id: "4", Message: "four" },
      ]);
      expect(Successful?.map(({ Id }) => Id)).to.deep.equal(["1", "4"]);
      expect(Failed?.map(({ Id, Code }) => [Id, Code])).to.deep.equal([
        ["2", "InvalidParameter"],
        ["3", "InvalidParameter"],
      ]);
      expect(deliveries.map(({ message, subject }) => [message, subject])).to.deep.equal([
        ["one", "First"],
        ["four", undefined],
      ]);
      expect(deliveries.map((mail) => mail.messageId)).to.deep.equal(
        Successful?.map(({ MessageId }) => MessageId),
      );
    });

    it("gives the publisher an error when a mail cannot be delivered", async () => {
      brokenDisk = true;
      expect((await failure(batch([{ Id: "1", Message: "x" }]))).status).to.equal(599);
    });

    const wrong: [string, string, { Id: string; Message: string }[]][] = [
      ["no entry", "EmptyBatchRequestException", []],
      [
        "eleven entries",
        "TooManyEntriesInBatchRequestException",
        Array.from({ length: 11 }, (_, n) => ({ Id: `${n}`, Message: "x" })),
      ],
      [
        "two entries of one Id",
        "BatchEntryIdsNotDistinctException",
        [
          { Id: "1", Message: "x" },
          { Id: "1", Message: "y" },
        ],
      ],
      ["an Id with a space", "InvalidBatchEntryIdException", [{ Id: "a b", Message: "x" }]],
      [
        "more than 262,144 bytes in all",
        "BatchRequestTooLongException",
        [
          { Id: "1", Message: "x".repeat(200_000) },
          { Id: "2", Message: "x".repeat(100_000) },
        ],
      ],
    ];
    for (const [what, name, entries] of wrong) {
      it(`refuses ${what}`, async () => {
        expect((await failure(batch(entries))).name).to.equal(name);
        expect(deliveries).to.have.length(0);
      });
    }
  });
});
