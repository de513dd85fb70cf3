import type { PolicyDocument, Statement } from "../iam/policy";
import { notServed, physicalName, type Provision, type Registration } from "../resources/resource";
import { filesOf } from "./archive";
import { DEFAULT_ASYNC_CONFIG } from "./asyncConfigs";

interface FunctionInputs {
  name?: string;
  runtime?: string;
  handler: string;
  /** A Pulumi archive. */
  code?: unknown;
  packageType?: string;
  s3Bucket?: string;
  layers?: string[];
  deadLetterConfig?: object;
  /** The role's ARN. */
  role: string;
  environment?: { variables?: Record<string, string> };
  timeout?: number;
  memorySize?: number;
  loggingConfig?: { logFormat: "JSON" | "Text"; logGroup?: string };
}

interface PermissionInputs {
  action: string;
  /** Name or ARN. */
  function: string;
  principal: string;
  sourceArn?: string;
  sourceAccount?: string;
  statementId?: string;
}

interface EventSourceMappingInputs {
  eventSourceArn: string;
  functionName: string;
  filterCriteria?: { filters?: { pattern?: string }[] };
  startingPosition: "TRIM_HORIZON" | "LATEST";
  batchSize?: number;
  maximumBatchingWindowInSeconds?: number;
  functionResponseTypes?: string[];
  bisectBatchOnFunctionError?: boolean;
  maximumRetryAttempts?: number;
  maximumRecordAgeInSeconds?: number;
  parallelizationFactor?: number;
  destinationConfig?: { onFailure?: { destinationArn: string } };
  enabled?: boolean;
  tumblingWindowInSeconds?: number;
}

interface FunctionEventInvokeConfigInputs {
  /** Name or ARN. */
  functionName: string;
  maximumRetryAttempts?: number;
  maximumEventAgeInSeconds?: number;
  destinationConfig?: {
    onFailure?: { destination: string };
    onSuccess?: { destination: string };
  };
}

const TABLE_STREAM = /^arn:aws:dynamodb:[^:]+:\d+:table\/[^/]+\/stream\//;

/** All run on the Node.js of this machine. */
const RUNTIMES = ["nodejs22.x", "nodejs24.x"];

/** @throws Error for a kind of function that AWS alone runs */
function checkFunction(resource: Registration<FunctionInputs>): void {
  const { runtime, packageType, s3Bucket, layers, deadLetterConfig } = resource.inputs;
  if (packageType === "Image") {
    throw notServed(resource, "is a container image", "Use a package for Node.js.");
  }
  if (runtime === undefined || !RUNTIMES.includes(runtime)) {
    const remedy = `Set its runtime to ${RUNTIMES.join(" or ")}.`;
    throw notServed(resource, `has the runtime ${String(runtime)}`, remedy);
  }
  if (s3Bucket !== undefined) {
    throw notServed(resource, "takes its code from a bucket", "Give the code as an archive.");
  }
  if (layers?.length) {
    throw notServed(resource, "has layers", "Put their files into the function's own package.");
  }
  if (deadLetterConfig !== undefined) {
    const remedy =
      "Give it an aws.lambda.FunctionEventInvokeConfig with an on-failure destination.";
    throw notServed(resource, "has a dead-letter configuration", remedy);
  }
}

export const lambdaFunction: Provision<FunctionInputs> = async (resource, cloud) => {
  const { inputs } = resource;
  const functionName = inputs.name ?? physicalName(resource);
  checkFunction(resource);
  const functionArn = `arn:aws:lambda:${cloud.region}:${cloud.accountId}:function:${functionName}`;
  await cloud.lambda.createFunction({
    functionName,
    functionArn,
    files: await filesOf(resource),
    handler: inputs.handler,
    environment: inputs.environment?.variables ?? {},
    credentials: cloud.roles.credentialsFor(inputs.role, functionName),
    timeoutSeconds: inputs.timeout ?? 3,
    memoryMegabytes: inputs.memorySize ?? 128,
    logFormat: inputs.loggingConfig?.logFormat ?? "Text",
    logGroupName: inputs.loggingConfig?.logGroup ?? `/aws/lambda/${functionName}`,
  });
  return {
    id: functionName,
    state: {
      name: functionName,
      arn: functionArn,
      invokeArn:
        `arn:aws:apigateway:${cloud.region}:lambda:path/2015-03-31/functions/` +
        `${functionArn}/invocations`,
      version: "$LATEST",
    },
  };
};

export const permission: Provision<PermissionInputs> = (resource, cloud) => {
  const { inputs } = resource;
  const functionArn = cloud.lambda.functionArn(inputs.function);
  const condition: NonNullable<Statement["Condition"]> = {};
  if (inputs.sourceArn !== undefined) {
    condition.ArnLike = { "aws:SourceArn": inputs.sourceArn };
  }
  if (inputs.sourceAccount !== undefined) {
    condition.StringEquals = { "aws:SourceAccount": inputs.sourceAccount };
  }
  const policy: PolicyDocument = cloud.resourcePolicies.of(functionArn) ?? {
    Version: "2012-10-17",
    Statement: [],
  };
  const statement: Statement = {
    Sid: inputs.statementId ?? physicalName(resource),
    Effect: "Allow",
    Principal: { Service: inputs.principal },
    Action: inputs.action,
    Resource: functionArn,
    Condition: condition,
  };
  cloud.resourcePolicies.set(functionArn, {
    ...policy,
    Statement: [policy.Statement, statement].flat(),
  });
  return { id: statement.Sid ?? physicalName(resource) };
};

export const functionEventInvokeConfig: Provision<FunctionEventInvokeConfigInputs> = (
  resource,
  cloud,
) => {
  const { inputs } = resource;
  if (inputs.destinationConfig?.onSuccess) {
    const remedy = "Send the result in the function itself.";
    throw notServed(resource, "has an on-success destination", remedy);
  }
  cloud.asyncConfigs.set(inputs.functionName, {
    maximumRetryAttempts: inputs.maximumRetryAttempts ?? DEFAULT_ASYNC_CONFIG.maximumRetryAttempts,
    maximumEventAgeSeconds:
      inputs.maximumEventAgeInSeconds ?? DEFAULT_ASYNC_CONFIG.maximumEventAgeSeconds,
    onFailureArn: inputs.destinationConfig?.onFailure?.destination,
  });
  return { id: inputs.functionName };
};

export const eventSourceMapping: Provision<EventSourceMappingInputs> = (resource, cloud) => {
  const { inputs } = resource;
  if (!TABLE_STREAM.test(inputs.eventSourceArn)) {
    const remedy = "Read from the stream of a DynamoDB table.";
    throw notServed(resource, `reads from ${inputs.eventSourceArn}`, remedy);
  }
  if (inputs.enabled === false) {
    throw notServed(resource, "is disabled", "Leave the mapping out.");
  }
  if (inputs.tumblingWindowInSeconds) {
    throw notServed(resource, "has a tumbling window", "Aggregate in the function.");
  }
  const filters = (inputs.filterCriteria?.filters ?? []).map(({ pattern }) => ({
    pattern: pattern ?? "{}",
  }));
  cloud.mappings.create({
    id: physicalName(resource),
    streamArn: inputs.eventSourceArn,
    functionArn: cloud.lambda.functionArn(inputs.functionName),
    settings: {
      startingPosition: inputs.startingPosition,
      batchSize: inputs.batchSize,
      maximumBatchingWindowSeconds: inputs.maximumBatchingWindowInSeconds,
      filters: filters.length > 0 ? { filters } : undefined,
      reportBatchItemFailures: inputs.functionResponseTypes?.includes("ReportBatchItemFailures"),
      bisectBatchOnFunctionError: inputs.bisectBatchOnFunctionError,
      maximumRetryAttempts: inputs.maximumRetryAttempts,
      maximumRecordAgeSeconds: inputs.maximumRecordAgeInSeconds,
      parallelizationFactor: inputs.parallelizationFactor,
      onFailureArn: inputs.destinationConfig?.onFailure?.destinationArn,
    },
  });
  return { id: physicalName(resource) };
};
