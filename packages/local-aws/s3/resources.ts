import type { PolicyDocument } from "../iam/policy";
import { policyDocument } from "../iam/resources";
import { notServed, physicalName, type Provision } from "../resources/resource";
import type { CorsRule } from "./cors";

interface BucketInputs {
  bucket?: string;
}

interface BucketCorsInputs {
  bucket: string;
  corsRules: CorsRule[];
}

interface BucketPolicyInputs {
  bucket: string;
  policy: string | PolicyDocument;
}

interface BucketNotificationInputs {
  bucket: string;
  lambdaFunctions?: {
    lambdaFunctionArn: string;
    events: string[];
    filterPrefix?: string;
    filterSuffix?: string;
  }[];
  queues?: unknown[];
  topics?: unknown[];
  eventbridge?: boolean;
}

const OBJECT_CREATED = "s3:ObjectCreated:*";

export const bucket: Provision<BucketInputs> = (resource, cloud) => {
  const bucketName = resource.inputs.bucket ?? physicalName(resource);
  cloud.s3.createBucket(bucketName);
  return {
    id: bucketName,
    state: { bucket: bucketName, arn: `arn:aws:s3:::${bucketName}`, region: cloud.region },
  };
};

export const bucketCorsConfiguration: Provision<BucketCorsInputs> = ({ inputs }, cloud) => {
  cloud.s3.setCorsRules(inputs.bucket, inputs.corsRules);
  return { id: inputs.bucket };
};

export const bucketPolicy: Provision<BucketPolicyInputs> = ({ inputs }, cloud) => {
  const policy = policyDocument(inputs.policy);
  cloud.resourcePolicies.set(`arn:aws:s3:::${inputs.bucket}`, policy);
  return { id: inputs.bucket };
};

export const bucketNotification: Provision<BucketNotificationInputs> = (resource, cloud) => {
  const { bucket: bucketName, lambdaFunctions = [], queues, topics, eventbridge } = resource.inputs;
  if (queues?.length || topics?.length || eventbridge) {
    const remedy = "Notify a Lambda function (lambdaFunctions).";
    throw notServed(resource, "notifies a queue, a topic or EventBridge", remedy);
  }
  for (const { lambdaFunctionArn, events, filterPrefix, filterSuffix } of lambdaFunctions) {
    const other = events.find((event) => event !== OBJECT_CREATED);
    if (other !== undefined) {
      const remedy = `Use ${OBJECT_CREATED}, and read the kind of event in the function.`;
      throw notServed(resource, `notifies of ${other}`, remedy);
    }
    if (filterPrefix || filterSuffix) {
      const remedy = "Give such objects a bucket of their own, or filter in the function.";
      throw notServed(resource, "filters keys by prefix or suffix", remedy);
    }
    cloud.notifications.add(bucketName, lambdaFunctionArn);
  }
  return { id: bucketName };
};
