export const REGION = "eu-central-1";
export const ACCOUNT_ID = "123456789012";

/** A resource's inputs, or its state. */
export type Inputs = Record<string, unknown>;

/** 32 bytes in base64, with the suffix that all names of the mocks have. */
const RANDOM_BYTES = `${"1a2b3c4".padEnd(43, "A")}=`;

/** What AWS adds to the inputs, by type. */
const COMPUTED: Record<string, (id: string, inputs: Inputs) => Inputs> = {
  "aws:apigateway/apiKey:ApiKey": () => ({ value: "a-key-for-the-header-x-api-key" }),
  "aws:apigateway/deployment:Deployment": () => ({}),
  "aws:apigateway/methodSettings:MethodSettings": () => ({}),
  "aws:apigateway/restApi:RestApi": (id) => ({
    arn: `arn:aws:apigateway:${REGION}::/restapis/${id}`,
    executionArn: `arn:aws:execute-api:${REGION}:${ACCOUNT_ID}:${id}`,
    rootResourceId: "root123456",
  }),
  "aws:apigateway/stage:Stage": (_id, { restApi, stageName }) => ({
    invokeUrl: `https://${String(restApi)}.execute-api.${REGION}.amazonaws.com/${String(stageName)}`,
  }),
  "aws:apigateway/usagePlan:UsagePlan": () => ({}),
  "aws:apigateway/usagePlanKey:UsagePlanKey": () => ({ value: "a-key-for-the-header-x-api-key" }),
  "aws:cloudwatch/eventRule:EventRule": (id) => ({
    name: id,
    arn: regionalArn("events", `rule/${id}`),
  }),
  "aws:cloudwatch/eventTarget:EventTarget": () => ({}),
  "aws:cloudwatch/logGroup:LogGroup": (id) => ({
    name: id,
    arn: regionalArn("logs", `log-group:${id}`),
  }),
  "aws:dynamodb/table:Table": (id, { streamEnabled }) => ({
    name: id,
    arn: regionalArn("dynamodb", `table/${id}`),
    streamArn: streamEnabled
      ? regionalArn("dynamodb", `table/${id}/stream/2026-11-30T00:00:00.000`)
      : undefined,
  }),
  "aws:iam/role:Role": (id) => ({ name: id, arn: `arn:aws:iam::${ACCOUNT_ID}:role/${id}` }),
  "aws:iam/rolePolicy:RolePolicy": () => ({}),
  "aws:lambda/eventSourceMapping:EventSourceMapping": () => ({}),
  "aws:lambda/function:Function": (id) => ({
    name: id,
    arn: regionalArn("lambda", `function:${id}`),
    invokeArn:
      `arn:aws:apigateway:${REGION}:lambda:path/2015-03-31/functions/` +
      `${regionalArn("lambda", `function:${id}`)}/invocations`,
    version: "$LATEST",
  }),
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": () => ({}),
  "aws:lambda/permission:Permission": () => ({}),
  "aws:s3/bucket:Bucket": (id) => ({ bucket: id, arn: `arn:aws:s3:::${id}`, region: REGION }),
  "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": () => ({}),
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": () => ({}),
  "aws:s3/bucketNotification:BucketNotification": () => ({}),
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": () => ({}),
  "aws:s3/bucketPolicy:BucketPolicy": () => ({}),
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": () => ({}),
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration":
    () => ({}),
  "aws:sns/topic:Topic": (id) => ({ name: id.split(":").pop(), arn: id }),
  "aws:sns/topicPolicy:TopicPolicy": () => ({}),
  "aws:sns/topicSubscription:TopicSubscription": () => ({}),
  "aws:sqs/queue:Queue": (id) => {
    const name = id.split("/").pop() ?? "";
    return { name, url: id, arn: regionalArn("sqs", name) };
  },
  "aws:sqs/queuePolicy:QueuePolicy": () => ({}),
  "random:index/randomBytes:RandomBytes": () => ({
    base64: RANDOM_BYTES,
    hex: Buffer.from(RANDOM_BYTES, "base64").toString("hex"),
  }),
};

function regionalArn(service: string, resource: string): string {
  return `arn:aws:${service}:${REGION}:${ACCOUNT_ID}:${resource}`;
}

/** The id of the REST API of that name: ten characters, as API Gateway gives them. */
export function restApiId(name: string): string {
  return `${name.slice(0, 3)}1a2b3c4`;
}

/** The id that AWS gives a resource. */
export function idOf(type: string, name: string, inputs: Inputs): string {
  switch (type) {
    case "aws:cloudwatch/logGroup:LogGroup":
      return `${String(inputs.namePrefix)}1a2b3c4`;
    case "aws:sns/topic:Topic":
      return regionalArn("sns", `${name}-1a2b3c4`);
    case "aws:sqs/queue:Queue":
      return `https://sqs.${REGION}.amazonaws.com/${ACCOUNT_ID}/${name}-1a2b3c4`;
    case "aws:apigateway/restApi:RestApi":
      return restApiId(name);
    default:
      return `${name}-1a2b3c4`;
  }
}

/**
 * A resource's state: its inputs, and what AWS adds.
 *
 * @throws for a type that the program is not expected to register
 */
export function stateOf(type: string, id: string, inputs: Inputs): Inputs {
  const computed = COMPUTED[type];
  if (!computed) {
    throw new Error(`The mocks do not expect a resource of type ${type}.`);
  }
  return { ...inputs, ...computed(id, inputs) };
}

/**
 * What a provider function returns.
 *
 * @throws for a function that the program is not expected to call
 */
export function answerOf(token: string): Inputs {
  if (token !== "aws:index/getCallerIdentity:getCallerIdentity") {
    throw new Error(`The mocks do not expect a call of ${token}.`);
  }
  const arn = `arn:aws:iam::${ACCOUNT_ID}:root`;
  return { accountId: ACCOUNT_ID, id: ACCOUNT_ID, userId: ACCOUNT_ID, arn };
}
