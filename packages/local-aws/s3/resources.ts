import type { PolicyDocument } from "../iam/policy";
import { policyDocument } from "../iam/resources";
import { each, NO_EFFECT, only, parts, refused, served, withoutEffect } from "../resources/inputs";
import { physicalName } from "../resources/resource";
import { servedType } from "../resources/servedType";
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
  }[];
}

/** Why rules of ownership have no effect. */
export const ONE_ACCOUNT = "There is one account, which owns everything.";

const OBJECT_CREATED = "s3:ObjectCreated:*";

export const bucket = servedType<BucketInputs>(
  {
    bucket: served,
    acl: only(["private"], "Nothing is public on this machine: leave it out."),
    corsRules: refused("Give the bucket an aws.s3.BucketCorsConfiguration."),
    forceDestroy: NO_EFFECT.deletion,
    lifecycleRules: refused("Give the bucket an aws.s3.BucketLifecycleConfiguration."),
    logging: NO_EFFECT.monitoring,
    policy: refused("Give the bucket an aws.s3.BucketPolicy."),
    requestPayer: only(["BucketOwner"]),
    serverSideEncryptionConfiguration: NO_EFFECT.encryption,
  },
  (resource, cloud) => {
    const bucketName = resource.inputs.bucket ?? physicalName(resource);
    cloud.s3.createBucket(bucketName);
    return {
      id: bucketName,
      state: { bucket: bucketName, arn: `arn:aws:s3:::${bucketName}`, region: cloud.region },
    };
  },
);

export const bucketCorsConfiguration = servedType<BucketCorsInputs>(
  {
    bucket: served,
    corsRules: served,
    expectedBucketOwner: withoutEffect(ONE_ACCOUNT),
  },
  ({ inputs }, cloud) => {
    cloud.s3.setCorsRules(inputs.bucket, inputs.corsRules);
    return { id: inputs.bucket };
  },
);

export const bucketPolicy = servedType<BucketPolicyInputs>(
  {
    bucket: served,
    policy: served,
  },
  ({ inputs }, cloud) => {
    const policy = policyDocument(inputs.policy);
    cloud.resourcePolicies.set(`arn:aws:s3:::${inputs.bucket}`, policy);
    return { id: inputs.bucket };
  },
);

const FILTER_IN_FUNCTION = "Give such objects a bucket of their own, or filter in the function.";

export const bucketNotification = servedType<BucketNotificationInputs>(
  {
    bucket: served,
    lambdaFunctions: parts({
      lambdaFunctionArn: served,
      events: only(
        [OBJECT_CREATED],
        `Use ${OBJECT_CREATED}, and read the kind of event in the function.`,
      ),
      id: NO_EFFECT.description,
      ...each(["filterPrefix", "filterSuffix"], refused(FILTER_IN_FUNCTION)),
    }),
    ...each(
      ["eventbridge", "queues", "topics"],
      refused("Notify a Lambda function (lambdaFunctions)."),
    ),
  },
  ({ inputs }, cloud) => {
    const { bucket: bucketName, lambdaFunctions = [] } = inputs;
    for (const { lambdaFunctionArn } of lambdaFunctions) {
      cloud.notifications.add(bucketName, lambdaFunctionArn);
    }
    return { id: bucketName };
  },
);
