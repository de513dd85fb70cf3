import type { PolicyDocument } from "../iam/policy";
import { policyDocument } from "../iam/resources";
import { physicalName, type Provision } from "../resources/resource";

interface TopicInputs {
  name?: string;
}

interface TopicPolicyInputs {
  arn: string;
  policy: string | PolicyDocument;
}

interface TopicSubscriptionInputs {
  topic: string;
  protocol: string;
  endpoint: string;
}

export const topic: Provision<TopicInputs> = (resource, cloud) => {
  const topicName = resource.inputs.name ?? physicalName(resource);
  const arn = cloud.sns.createTopic(topicName);
  return { id: arn, state: { name: topicName, arn } };
};

export const topicPolicy: Provision<TopicPolicyInputs> = ({ inputs }, cloud) => {
  cloud.resourcePolicies.set(inputs.arn, policyDocument(inputs.policy));
  return { id: inputs.arn };
};

export const topicSubscription: Provision<TopicSubscriptionInputs> = ({ inputs }, cloud) => {
  const { topic: topicArn, protocol, endpoint } = inputs;
  if (protocol !== "email") {
    throw new Error(`The local SNS delivers to the protocol "email" only, not to "${protocol}".`);
  }
  const arn = cloud.sns.subscribeEmail(topicArn, endpoint);
  return { id: arn, state: { arn } };
};
