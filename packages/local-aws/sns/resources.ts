import type { PolicyDocument } from "../iam/policy";
import { policyDocument } from "../iam/resources";
import { each, NO_EFFECT, only, refused, served, withoutEffect } from "../resources/inputs";
import { physicalName } from "../resources/resource";
import { servedType } from "../resources/servedType";

interface TopicInputs {
  name?: string;
}

interface TopicPolicyInputs {
  arn: string;
  policy: string | PolicyDocument;
}

interface TopicSubscriptionInputs {
  topic: string;
  endpoint: string;
}

/** A topic's log of deliveries to subscribers of each kind. */
const FEEDBACK = ["application", "firehose", "http", "lambda", "sqs"].flatMap((protocol) => [
  `${protocol}FailureFeedbackRoleArn`,
  `${protocol}SuccessFeedbackRoleArn`,
  `${protocol}SuccessFeedbackSampleRate`,
]);

const EMAIL_ONLY = withoutEffect("It is for subscribers other than email, which are refused.");

export const topic = servedType<TopicInputs>(
  {
    name: served,
    ...each(["deliveryPolicy", "signatureVersion"], EMAIL_ONLY),
    displayName: NO_EFFECT.description,
    fifoTopic: refused("Use a standard topic (without FIFO)."),
    kmsMasterKeyId: NO_EFFECT.encryption,
    policy: refused("Give it an aws.sns.TopicPolicy."),
    ...each([...FEEDBACK, "tracingConfig"], NO_EFFECT.monitoring),
  },
  (resource, cloud) => {
    const topicName = resource.inputs.name ?? physicalName(resource);
    const arn = cloud.sns.createTopic(topicName);
    return { id: arn, state: { name: topicName, arn } };
  },
);

export const topicPolicy = servedType<TopicPolicyInputs>(
  {
    arn: served,
    policy: served,
  },
  ({ inputs }, cloud) => {
    cloud.resourcePolicies.set(inputs.arn, policyDocument(inputs.policy));
    return { id: inputs.arn };
  },
);

export const topicSubscription = servedType<TopicSubscriptionInputs>(
  {
    topic: served,
    endpoint: served,
    protocol: only(
      ["email"],
      'Subscribe with the protocol "email", or on AWS only (by a setting).',
    ),
    ...each(["confirmationTimeoutInMinutes", "deliveryPolicy"], EMAIL_ONLY),
    ...each(["filterPolicy", "filterPolicyScope"], refused("Filter before publishing.")),
  },
  ({ inputs }, cloud) => {
    const { topic: topicArn, endpoint } = inputs;
    const { arn, isPending } = cloud.sns.subscribeEmail(topicArn, endpoint);
    return { id: arn, state: { arn, pendingConfirmation: isPending } };
  },
);
