import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Link } from "./link";
import { type Grant, policyDocument, tlsOnly } from "./policy";

/** SQS's maximum: 14 days. */
const RETENTION_SECONDS = 14 * 24 * 60 * 60;

/** An encrypted queue for messages that are given up after all retries, kept for 14 days. */
export class DeadLetterQueue extends pulumi.ComponentResource {
  readonly queue: aws.sqs.Queue;
  readonly queueArn: pulumi.Output<string>;
  readonly queueUrl: pulumi.Output<string>;

  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("s3-uploader:queue:DeadLetterQueue", name, {}, opts);
    this.queue = new aws.sqs.Queue(
      name,
      { messageRetentionSeconds: RETENTION_SECONDS, sqsManagedSseEnabled: true },
      { parent: this },
    );
    this.queueArn = this.queue.arn;
    this.queueUrl = this.queue.url;
    new aws.sqs.QueuePolicy(
      name,
      { queueUrl: this.queue.url, policy: policyDocument([tlsOnly("sqs:*", [this.queue.arn])]) },
      { parent: this },
    );
    this.registerOutputs({ queueArn: this.queueArn, queueUrl: this.queueUrl });
  }

  /** Permission to send messages to the queue, which Lambda requires of a role for a destination. */
  send(): Grant {
    return { actions: ["sqs:SendMessage"], resources: [this.queue.arn] };
  }

  /** To receive messages and delete them. */
  draining(): Link<"DEAD_LETTER_QUEUE_URL"> {
    return {
      environment: { DEAD_LETTER_QUEUE_URL: this.queueUrl },
      grants: [
        { actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage"], resources: [this.queue.arn] },
      ],
    };
  }
}
