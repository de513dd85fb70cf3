import * as sqs from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { sqsApi } from "../../sqs/service";
import { ACCOUNT, REGION } from "../gateway/capture";
import { type Act, needs, plain, refused, target } from "../gateway/grants";

describe("the grants of an SQS call", () => {
  const QueueUrl = `http://127.0.0.1:4566/${ACCOUNT}/dead-letters`;
  const queueArn = `arn:aws:sqs:${REGION}:${ACCOUNT}:dead-letters`;
  const cases: [act: Act, expected: string][] = [
    [
      (clients) => clients.sqs.send(new sqs.ReceiveMessageCommand({ QueueUrl })),
      `sqs:ReceiveMessage: sqs:ReceiveMessage ${queueArn}`,
    ],
    [
      (clients) => clients.sqs.send(new sqs.DeleteMessageBatchCommand({ QueueUrl, Entries: [] })),
      `sqs:DeleteMessageBatch: sqs:DeleteMessage ${queueArn}`,
    ],
    [
      (clients) => clients.sqs.send(new sqs.GetQueueUrlCommand({ QueueName: "dead-letters" })),
      `sqs:GetQueueUrl: sqs:GetQueueUrl ${queueArn}`,
    ],
  ];
  for (const [act, expected] of cases) {
    it(expected, async () => {
      expect(await needs(sqsApi, act)).to.equal(expected);
    });
  }

  it("refuse an operation and a protocol that are not served", () => {
    expect(refused(sqsApi, target("AmazonSQS.StartMessageMoveTask", {}))).to.match(
      /^501 NotImplemented: sqs:StartMessageMoveTask /,
    );
    const body = Buffer.from("Action=SendMessage&QueueUrl=x");
    expect(refused(sqsApi, { ...plain("POST", "/"), body })).to.match(/query protocol/);
  });
});
