import * as sns from "@aws-sdk/client-sns";
import { expect } from "chai";
import { snsApi } from "../../sns/service";
import { ACCOUNT, REGION } from "../gateway/capture";
import { type Act, needs, refusedCall } from "../gateway/grants";

describe("the grants of an SNS call", () => {
  const TopicArn = `arn:aws:sns:${REGION}:${ACCOUNT}:done`;
  const SubscriptionArn = `${TopicArn}:6b0e71bd`;
  const cases: [act: Act, expected: string][] = [
    [
      (clients) => clients.sns.send(new sns.PublishCommand({ TopicArn, Message: "a&b=c +" })),
      `sns:Publish: sns:Publish ${TopicArn}`,
    ],
    [
      (clients) =>
        clients.sns.send(
          new sns.PublishBatchCommand({
            TopicArn,
            PublishBatchRequestEntries: [{ Id: "1", Message: "m" }],
          }),
        ),
      `sns:PublishBatch: sns:Publish ${TopicArn}`,
    ],
    [
      (clients) => clients.sns.send(new sns.PublishCommand({ PhoneNumber: "+1", Message: "m" })),
      "sns:Publish: sns:Publish *",
    ],
    [
      (clients) => clients.sns.send(new sns.SubscribeCommand({ TopicArn, Protocol: "email" })),
      `sns:Subscribe: sns:Subscribe ${TopicArn}`,
    ],
    [
      (clients) => clients.sns.send(new sns.UnsubscribeCommand({ SubscriptionArn })),
      `sns:Unsubscribe: sns:Unsubscribe ${TopicArn}`,
    ],
    [
      (clients) => clients.sns.send(new sns.CreateTopicCommand({ Name: "done" })),
      `sns:CreateTopic: sns:CreateTopic ${TopicArn}`,
    ],
    [
      (clients) => clients.sns.send(new sns.ListTopicsCommand({})),
      "sns:ListTopics: sns:ListTopics *",
    ],
  ];
  for (const [act, expected] of cases) {
    it(expected, async () => {
      expect(await needs(snsApi, act)).to.equal(expected);
    });
  }

  it("refuse an unknown operation, and one without its topic", async () => {
    expect(
      await refusedCall(snsApi, (clients) =>
        clients.sns.send(new sns.ListSMSSandboxPhoneNumbersCommand({})),
      ),
    ).to.match(/^501 NotImplemented: sns:ListSMSSandboxPhoneNumbers /);
    expect(
      await refusedCall(snsApi, (clients) =>
        clients.sns.send(new sns.PublishCommand({ Message: "m" })),
      ),
    ).to.match(/^400 InvalidParameter: .*TopicArn/);
  });
});
