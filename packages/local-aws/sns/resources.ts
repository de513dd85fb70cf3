import type { PolicyDocument } from "../iam/policy";
import { policyDocument } from "../iam/resources";
import { notServed, physicalName, type Provision } from "../resources/resource";

interface TopicInputs {
  name?: string;
  fifoTopic?: boolean;
  policy?: unknown;
}

interface TopicPolicyInputs {
  arn: string;
  policy: string | PolicyDocument;
}

interface TopicSubscriptionInputs {
  topic: string;
  protocol: string;
  endpoint: string;
  filterPolicy?: string;
}

export const topic: Provision<TopicInputs> = (resource, cloud) => {
  const { name, fifoTopic, policy } = resource.inputs;
  if (fifoTopic) {
    throw notServed(resource, "is a FIFO topic", "Use a standard topic.");
  }
  if (policy !== undefined) {
    throw notServed(resource, "has the input policy", "Give it an aws.sns.TopicPolicy.");
  }
  const topicName = name ?? physicalName(resource);
  const arn = cloud.sns.createTopic(topicName);
  return { id: arn, state: { name: topicName, arn } };
};

export const topicPolicy: Provision<TopicPolicyInputs> = ({ inputs }, cloud) => {
  cloud.resourcePolicies.set(inputs.arn, policyDocument(inputs.policy));
  return { id: inputs.arn };
};

export const topicSubscription: Provision<TopicSubscriptionInputs> = (resource, cloud) => {
  const { topic: topicArn, protocol, endpoint, filterPolicy } = resource.inputs;
  if (protocol !== "email") {
    const remedy = 'Subscribe with the protocol "email", or on AWS only (by a setting).';
    throw notServed(resource, `has the protocol "${protocol}"`, remedy);
  }
  if (filterPolicy !== undefined) {
    throw notServed(resource, "has a filter policy", "Filter before publishing.");
  }
  const arn = cloud.sns.subscribeEmail(topicArn, endpoint);
  return { id: arn, state: { arn } };
};
