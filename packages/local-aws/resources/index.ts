import * as apiGateway from "../apiGateway/resources";
import type { Cloud } from "../cloud";
import * as dynamodb from "../dynamodb/resources";
import * as eventBridge from "../eventBridge/resources";
import * as iam from "../iam/resources";
import * as lambda from "../lambda/resources";
import * as s3 from "../s3/resources";
import * as sns from "../sns/resources";
import * as sqs from "../sqs/resources";
import { checkInputs } from "./inputs";
import { logGroup } from "./logGroup";
import { randomBytes } from "./random";
import { asRequested, type Provision, type Provisioned, type Registration } from "./resource";
import type { ServedType } from "./servedType";

/** Every resource type that is served, by the service that makes it. */
export const SERVED: Readonly<Partial<Record<string, ServedType>>> = {
  "aws:apigateway/apiKey:ApiKey": apiGateway.apiKey,
  "aws:apigateway/methodSettings:MethodSettings": apiGateway.methodSettings,
  "aws:apigateway/restApi:RestApi": apiGateway.restApi,
  "aws:apigateway/stage:Stage": apiGateway.stage,
  "aws:apigateway/usagePlan:UsagePlan": apiGateway.usagePlan,
  "aws:apigateway/usagePlanKey:UsagePlanKey": apiGateway.usagePlanKey,
  "aws:cloudwatch/eventRule:EventRule": eventBridge.eventRule,
  "aws:cloudwatch/eventTarget:EventTarget": eventBridge.eventTarget,
  "aws:cloudwatch/logGroup:LogGroup": logGroup,
  "aws:dynamodb/table:Table": dynamodb.table,
  "aws:iam/role:Role": iam.role,
  "aws:iam/rolePolicy:RolePolicy": iam.rolePolicy,
  "aws:lambda/eventSourceMapping:EventSourceMapping": lambda.eventSourceMapping,
  "aws:lambda/function:Function": lambda.lambdaFunction,
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig":
    lambda.functionEventInvokeConfig,
  "aws:lambda/permission:Permission": lambda.permission,
  "aws:s3/bucket:Bucket": s3.bucket,
  "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": s3.bucketCorsConfiguration,
  "aws:s3/bucketNotification:BucketNotification": s3.bucketNotification,
  "aws:s3/bucketPolicy:BucketPolicy": s3.bucketPolicy,
  "aws:sns/topic:Topic": sns.topic,
  "aws:sns/topicPolicy:TopicPolicy": sns.topicPolicy,
  "aws:sns/topicSubscription:TopicSubscription": sns.topicSubscription,
  "aws:sqs/queue:Queue": sqs.queue,
  "aws:sqs/queuePolicy:QueuePolicy": sqs.queuePolicy,
  "random:index/randomBytes:RandomBytes": randomBytes,
};

/** Types without an effect on one machine, with the reason; they are registered as requested. */
export const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  "aws:apigateway/deployment:Deployment": apiGateway.CURRENT_BODY,
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration":
    "Nothing on this machine expires.",
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": s3.ONE_ACCOUNT,
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":
    "Nothing is public: S3 answers signed requests only.",
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration":
    "The machine's own disk encryption applies.",
};

/** Types that are registered by common programs and refused with a remedy of their own. */
const REFUSED: Readonly<Partial<Record<string, (resource: Registration<never>) => never>>> = {
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": iam.rolePolicyAttachment,
};

/**
 * Makes the local counterpart of a registered resource.
 *
 * @throws Error that names the resource, when its type or one of its inputs is not served
 */
export async function provision(
  resource: Registration<Record<string, unknown>>,
  cloud: Cloud,
): Promise<Provisioned> {
  const { type, name } = resource;
  if (Object.hasOwn(WITHOUT_EFFECT, type)) {
    return asRequested(resource);
  }
  REFUSED[type]?.(resource as Registration<never>);
  const served = SERVED[type];
  if (!served) {
    throw new Error(
      `The program registers "${name}" of type ${type}, which local-aws does not serve. Register ` +
        "it on AWS only (by a setting), or add the type: packages/local-aws/README.md, " +
        '"Add a resource type".',
    );
  }
  checkInputs(resource, served.rules, cloud.region);
  return (served.provision as Provision<Record<string, unknown>>)(resource, cloud);
}
