import type { PolicyDocument } from "../iam/policy";
import { policyDocument } from "../iam/resources";
import { notServed, physicalName, type Provision } from "../resources/resource";
import { queueArnOf } from "./queueArn";

interface QueueInputs {
  name?: string;
  fifoQueue?: boolean;
  policy?: unknown;
  delaySeconds?: number;
  maxMessageSize?: number;
  messageRetentionSeconds?: number;
  receiveWaitTimeSeconds?: number;
  visibilityTimeoutSeconds?: number;
  /** JSON. */
  redrivePolicy?: string;
}

interface QueuePolicyInputs {
  queueUrl: string;
  policy: string | PolicyDocument;
}

/** The settings that change how a queue acts; encryption does not. */
function attributesOf(inputs: QueueInputs): Record<string, string> {
  const attributes = {
    DelaySeconds: inputs.delaySeconds,
    MaximumMessageSize: inputs.maxMessageSize,
    MessageRetentionPeriod: inputs.messageRetentionSeconds,
    ReceiveMessageWaitTimeSeconds: inputs.receiveWaitTimeSeconds,
    VisibilityTimeout: inputs.visibilityTimeoutSeconds,
    RedrivePolicy: inputs.redrivePolicy,
  };
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    ),
  );
}

export const queue: Provision<QueueInputs> = (resource, cloud) => {
  const { inputs } = resource;
  const queueName = inputs.name ?? physicalName(resource);
  if (inputs.fifoQueue) {
    throw notServed(resource, "is a FIFO queue", "Use a standard queue.");
  }
  if (inputs.policy !== undefined) {
    throw notServed(resource, "has the input policy", "Give it an aws.sqs.QueuePolicy.");
  }
  const { url, arn } = cloud.sqs.createQueue(queueName, attributesOf(inputs));
  return { id: url, state: { name: queueName, url, arn } };
};

export const queuePolicy: Provision<QueuePolicyInputs> = ({ inputs }, cloud) => {
  const policy = policyDocument(inputs.policy);
  cloud.resourcePolicies.set(queueArnOf(inputs.queueUrl, cloud), policy);
  return { id: inputs.queueUrl };
};
