import type { PolicyDocument, Statement } from "../iam/policy";
import { physicalName, type Provision } from "../resources/resource";
import { filesOf } from "./archive";
import { DEFAULT_ASYNC_CONFIG } from "./asyncInvoke";

interface FunctionInputs {
  name?: string;
  runtime?: string;
  handler: string;
  /** A Pulumi archive. */
  code?: unknown;
  packageType?: string;
  s3Bucket?: string;
  layers?: string[];
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

/** All run on the Node.js of this machine. */
const RUNTIMES = ["nodejs22.x", "nodejs24.x"];

/** @throws Error for what a function of this program would have on AWS only */
function checkServed(functionName: string, inputs: FunctionInputs): void {
  const { runtime, packageType, s3Bucket, layers } = inputs;
  const refuse = (what: string, remedy: string): never => {
    throw new Error(`The Lambda "${functionName}" ${what}. ${remedy}`);
  };
  if (packageType === "Image") {
    refuse("is a container image, which is not served", "Use a package for Node.js.");
  }
  if (runtime === undefined || !RUNTIMES.includes(runtime)) {
    refuse(
      `has the runtime ${String(runtime)}, which is not served`,
      `Set its runtime to ${RUNTIMES.join(" or ")}.`,
    );
  }
  if (s3Bucket !== undefined) {
    refuse("takes its code from a bucket, which is not served", "Give the code as an archive.");
  }
  if (layers !== undefined && layers.length > 0) {
    refuse("has layers, which are not served", "Put their files into the function's own package.");
  }
}

export const lambdaFunction: Provision<FunctionInputs> = async (resource, cloud) => {
  const { inputs } = resource;
  const functionName = inputs.name ?? physicalName(resource);
  checkServed(functionName, inputs);
  const functionArn = `arn:aws:lambda:${cloud.region}:${cloud.accountId}:function:${functionName}`;
  await cloud.lambda.createFunction({
    functionName,
    functionArn,
    files: await filesOf(inputs.code, functionName),
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
  const policy: PolicyDocument = cloud.resourcePolicies.get(functionArn) ?? {
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
  { inputs },
  cloud,
) => {
  if (inputs.destinationConfig?.onSuccess) {
    throw new Error(`The local Lambda has no on-success destinations (${inputs.functionName}).`);
  }
  cloud.configureAsyncInvokes(inputs.functionName, {
    maximumRetryAttempts: inputs.maximumRetryAttempts ?? DEFAULT_ASYNC_CONFIG.maximumRetryAttempts,
    maximumEventAgeSeconds:
      inputs.maximumEventAgeInSeconds ?? DEFAULT_ASYNC_CONFIG.maximumEventAgeSeconds,
    onFailureArn: inputs.destinationConfig?.onFailure?.destination,
  });
  return { id: inputs.functionName };
};

export const eventSourceMapping: Provision<EventSourceMappingInputs> = (resource, cloud) => {
  const { inputs } = resource;
  const filters = (inputs.filterCriteria?.filters ?? []).map(({ pattern }) => ({
    pattern: pattern ?? "{}",
  }));
  cloud.mapStream({
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
