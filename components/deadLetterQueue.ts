import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { Grant, policyDocument, tlsOnly } from "./policy";

/** The longest that SQS keeps a message: 14 days. */
const RETENTION_SECONDS = 14 * 24 * 60 * 60;

/** A queue for what was given up after all retries, encrypted, kept for 14 days. */
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

  /** Permission to put messages on the queue: what Lambda needs of a role for a destination. */
  send(): Grant {
    return { actions: ["sqs:SendMessage"], resources: [this.queue.arn] };
  }

  /** Permission to take messages off the queue. */
  drain(): Grant {
    return { actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage"], resources: [this.queue.arn] };
  }
}
