import { expect } from "chai";
import { DEFAULTS } from "../../config";
import { type Inputs } from "../../testing/mockedAws";
import { ofType, only, type Recording, recordProgram } from "../../testing/recordingMocks";
import { ALARM_TOPIC, functionArn, QUEUE, QUEUE_URL, RULE, statementsOf, TOPIC } from "./names";

describe("The program's messages", () => {
  let recording: Recording;

  before(async () => {
    recording = await recordProgram();
  });

  function inputs(type: string, name?: string): Inputs {
    return only(recording, type, name).inputs;
  }

  for (const [name, arn] of Object.entries({ notifier: TOPIC, alarms: ALARM_TOPIC })) {
    describe(`its topic ${name}`, () => {
      it("refuses requests without TLS", () => {
        expect(inputs("TopicPolicy", name).arn).to.equal(arn);
        expect(statementsOf(only(recording, "TopicPolicy", name))).to.deep.equal([
          {
            Sid: "TlsOnly",
            Effect: "Deny",
            Principal: "*",
            Action: [
              "sns:AddPermission",
              "sns:DeleteTopic",
              "sns:GetTopicAttributes",
              "sns:ListSubscriptionsByTopic",
              "sns:Publish",
              "sns:RemovePermission",
              "sns:SetTopicAttributes",
              "sns:Subscribe",
            ],
            Resource: [arn],
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
        ]);
      });

      it("mails to the address of the setting", () => {
        expect(inputs("TopicSubscription", `${name}-${DEFAULTS.email}`)).to.deep.equal({
          topic: arn,
          protocol: "email",
          endpoint: DEFAULTS.email,
        });
      });
    });
  }

  describe("its dead-letter queue", () => {
    it("is encrypted, and keeps messages for 14 days: as long as SQS can", () => {
      expect(inputs("Queue", "dead-letters")).to.deep.equal({
        sqsManagedSseEnabled: true,
        messageRetentionSeconds: 14 * 24 * 60 * 60,
      });
    });

    it("refuses requests without TLS", () => {
      expect(inputs("QueuePolicy").queueUrl).to.equal(QUEUE_URL);
      expect(statementsOf(only(recording, "QueuePolicy"))).to.deep.equal([
        {
          Sid: "TlsOnly",
          Effect: "Deny",
          Principal: "*",
          Action: "sqs:*",
          Resource: [QUEUE],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ]);
    });

    it("gets the bucket's events that record fails on, after two retries or six hours", () => {
      expect(inputs("FunctionEventInvokeConfig")).to.deep.equal({
        functionName: "record-1a2b3c4",
        maximumRetryAttempts: 2,
        maximumEventAgeInSeconds: 6 * 60 * 60,
        destinationConfig: { onFailure: { destination: QUEUE } },
      });
    });
  });

  describe("its schedule", () => {
    it("starts the sweeper every five minutes", () => {
      expect(inputs("EventRule")).to.deep.equal({ scheduleExpression: "rate(5 minutes)" });
      expect(inputs("EventTarget")).to.deep.equal({
        rule: "sweep-1a2b3c4",
        arn: functionArn("sweep"),
      });
    });

    it("is the only one that may start the sweeper", () => {
      const permissions = ofType(recording, "Permission").filter(
        ({ inputs: { function: name } }) => name === "sweep-1a2b3c4",
      );
      expect(permissions.map(({ inputs: permission }) => permission)).to.deep.equal([
        {
          action: "lambda:InvokeFunction",
          function: "sweep-1a2b3c4",
          principal: "events.amazonaws.com",
          sourceArn: RULE,
        },
      ]);
    });
  });
});
