import type { PolicyDocument } from "../iam/policy";
import { policyDocument } from "../iam/resources";
import { physicalName, type Provision } from "../resources/resource";
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

export const bucketNotification: Provision<BucketNotificationInputs> = ({ inputs }, cloud) => {
  for (const target of inputs.lambdaFunctions ?? []) {
    const other = target.events.find((event) => event !== OBJECT_CREATED);
    if (other !== undefined || target.filterPrefix || target.filterSuffix) {
      throw new Error(
        `The local S3 sends ${OBJECT_CREATED} for every key, and knows no ` +
          `${other ?? "filter by prefix or suffix"} yet (bucket ${inputs.bucket}).`,
      );
    }
    cloud.notifyFunction(inputs.bucket, target.lambdaFunctionArn);
  }
  return { id: inputs.bucket };
};
