import * as apigateway from "../apiGateway/resources";
import type { Cloud } from "../cloud";
import * as dynamodb from "../dynamodb/resources";
import * as eventBridge from "../eventBridge/resources";
import * as iam from "../iam/resources";
import * as lambda from "../lambda/resources";
import * as s3 from "../s3/resources";
import * as sns from "../sns/resources";
import * as sqs from "../sqs/resources";
import { randomBytes } from "./random";
import { asRequested, type Provision, type Provisioned, type Registration } from "./resource";

/** Every resource type that the local run knows. What is not here stops the start. */
const PROVISIONS: Record<string, unknown> = {
  "aws:apigateway/apiKey:ApiKey": apigateway.apiKey,
  // Stages serve the API's current body at once: there is nothing to deploy.
  "aws:apigateway/deployment:Deployment": asRequested,
  "aws:apigateway/methodSettings:MethodSettings": apigateway.methodSettings,
  "aws:apigateway/restApi:RestApi": apigateway.restApi,
  "aws:apigateway/stage:Stage": apigateway.stage,
  "aws:apigateway/usagePlan:UsagePlan": apigateway.usagePlan,
  "aws:apigateway/usagePlanKey:UsagePlanKey": apigateway.usagePlanKey,
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
  // Who may read without a signature: nobody, for the front door refuses what is not signed.
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": asRequested,
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": asRequested,
  // About how AWS keeps bytes, and for how long: a machine's own disk is its owner's business.
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration":
    asRequested,
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": asRequested,
  "random:index/randomBytes:RandomBytes": randomBytes,
  "aws:sns/topic:Topic": sns.topic,
  "aws:sns/topicPolicy:TopicPolicy": sns.topicPolicy,
  "aws:sns/topicSubscription:TopicSubscription": sns.topicSubscription,
  "aws:sqs/queue:Queue": sqs.queue,
  "aws:sqs/queuePolicy:QueuePolicy": sqs.queuePolicy,
};

function logGroup(
  { inputs }: Registration<{ name: string }>,
  { region, accountId }: Cloud,
): Provisioned {
  const arn = `arn:aws:logs:${region}:${accountId}:log-group:${inputs.name}`;
  return { id: inputs.name, state: { arn } };
}

/**
 * Makes the local counterpart of a registered resource.
 *
 * @throws Error that names the type, when the local run does not know it
 */
export async function provision(
  resource: Registration<Record<string, unknown>>,
  cloud: Cloud,
): Promise<Provisioned> {
  const handler = PROVISIONS[resource.type] as Provision<Record<string, unknown>> | undefined;
  if (!handler) {
    throw new Error(
      `The program registers "${resource.name}" of type ${resource.type}, which the local run ` +
        "does not know. Add a handler for the type to local/resources/index.ts.",
    );
  }
  return handler(resource, cloud);
}
