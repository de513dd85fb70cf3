import type { PolicyDocument } from "../iam/policy";
import { policyDocument } from "../iam/resources";
import { between, each, NO_EFFECT, refused, served } from "../resources/inputs";
import { physicalName } from "../resources/resource";
import { servedType } from "../resources/servedType";
import { queueArnOf } from "./queueArn";

interface QueueInputs {
  name?: string;
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

/** The attributes of SQS's own API. */
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

export const queue = servedType<QueueInputs>(
  {
    name: served,
    delaySeconds: between(0, 900),
    maxMessageSize: between(1_024, 1_048_576),
    messageRetentionSeconds: between(60, 1_209_600),
    receiveWaitTimeSeconds: between(0, 20),
    redrivePolicy: served,
    visibilityTimeoutSeconds: between(0, 43_200),
    fifoQueue: refused("Use a standard queue (without FIFO)."),
    ...each(
      ["kmsDataKeyReusePeriodSeconds", "kmsMasterKeyId", "sqsManagedSseEnabled"],
      NO_EFFECT.encryption,
    ),
    policy: refused("Give it an aws.sqs.QueuePolicy."),
  },
  (resource, cloud) => {
    const { inputs } = resource;
    const queueName = inputs.name ?? physicalName(resource);
    const { url, arn } = cloud.sqs.createQueue(queueName, attributesOf(inputs));
    return { id: url, state: { name: queueName, url, arn } };
  },
);

export const queuePolicy = servedType<QueuePolicyInputs>(
  {
    policy: served,
    queueUrl: served,
  },
  ({ inputs }, cloud) => {
    const policy = policyDocument(inputs.policy);
    cloud.resourcePolicies.set(queueArnOf(inputs.queueUrl, cloud), policy);
    return { id: inputs.queueUrl };
  },
);
