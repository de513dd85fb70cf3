import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Link } from "./link";
import { policyDocument, tlsOnly } from "./policy";

/** Every action that a topic's policy may name: SNS refuses `sns:*`. */
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
  /** Addresses of the mails. Each has to confirm its subscription once. */
  emails: string[];
}

/** A topic whose messages are sent as mails. */
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
      // Named by its address: a changed list affects only the addresses that it adds or removes.
      new aws.sns.TopicSubscription(
        `${name}-${email}`,
        { topic: this.topic.arn, protocol: "email", endpoint: email },
        { parent: this },
      );
    }
    this.registerOutputs({ topicArn: this.topicArn });
  }

  /**
   * To publish messages to the topic.
   *
   * @param variable the environment variable that has the topic's ARN
   */
  publishing<Name extends string>(variable: Name): Link<Name> {
    const environment: Record<string, pulumi.Input<string>> = { [variable]: this.topicArn };
    return {
      environment,
      grants: [{ actions: ["sns:Publish"], resources: [this.topic.arn] }],
    };
  }
}
