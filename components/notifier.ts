import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { Grant, policyDocument, tlsOnly } from "./policy";

/** Every action that a topic's policy can name: SNS refuses `sns:*` there. */
const TOPIC_ACTIONS = [
  "sns:AddPermission",
  "sns:DeleteTopic",
  "sns:GetTopicAttributes",
  "sns:ListSubscriptionsByTopic",
  "sns:Publish",
  "sns:RemovePermission",
  "sns:SetTopicAttributes",
  "sns:Subscribe",
];

export interface NotifierArgs {
  /** Who gets the mails. Each address has to confirm its subscription once. */
  emails: string[];
}

/** A topic whose messages go out as mails. */
export class Notifier extends pulumi.ComponentResource {
  readonly topic: aws.sns.Topic;
  readonly topicArn: pulumi.Output<string>;

  constructor(name: string, args: NotifierArgs, opts?: pulumi.ComponentResourceOptions) {
    super("s3-uploader:notify:Notifier", name, {}, opts);
    this.topic = new aws.sns.Topic(name, {}, { parent: this });
    this.topicArn = this.topic.arn;
    new aws.sns.TopicPolicy(
      name,
      { arn: this.topic.arn, policy: policyDocument([tlsOnly(TOPIC_ACTIONS, [this.topic.arn])]) },
      { parent: this },
    );
    for (const email of args.emails) {
      // Named by its address: a changed list touches only the addresses that came or went.
      new aws.sns.TopicSubscription(
        `${name}-${email}`,
        { topic: this.topic.arn, protocol: "email", endpoint: email },
        { parent: this },
      );
    }
    this.registerOutputs({ topicArn: this.topicArn });
  }

  /** Permission to publish messages to the topic. */
  publish(): Grant {
    return { actions: ["sns:Publish"], resources: [this.topic.arn] };
  }
}
