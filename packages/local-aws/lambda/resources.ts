import type { PolicyDocument, Statement } from "../iam/policy";
import {
  between,
  each,
  NO_EFFECT,
  only,
  parts,
  refused,
  served,
  withoutEffect,
} from "../resources/inputs";
import { physicalName } from "../resources/resource";
import { servedType } from "../resources/servedType";
import { filesOf } from "./archive";
import { DEFAULT_ASYNC_CONFIG } from "./asyncConfigs";
import type { FunctionConfig } from "./host";

interface FunctionInputs {
  name?: string;
  handler: string;
  /** A Pulumi archive. */
  code?: unknown;
  /** The role's ARN. */
  role: string;
  environment?: { variables?: Record<string, string> };
  timeout?: number;
  memorySize?: number;
  loggingConfig?: { logFormat: "JSON" | "Text"; logGroup?: string };
}

/** A function's settings that may change while it runs. */
export function settingsOf(
  inputs: Partial<FunctionInputs>,
): Pick<FunctionConfig, "environment" | "handler" | "memoryMegabytes" | "timeoutSeconds"> {
  return {
    handler: inputs.handler ?? "",
    environment: inputs.environment?.variables ?? {},
    timeoutSeconds: inputs.timeout ?? 3,
    memoryMegabytes: inputs.memorySize ?? 128,
  };
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
  destinationConfig?: { onFailure?: { destination: string } };
}

const TABLE_STREAM = /^arn:aws:dynamodb:[^:]+:\d+:table\/[^/]+\/stream\//;

/** All run on the Node.js of this machine. */
const RUNTIMES = ["nodejs22.x", "nodejs24.x"];

const NO_CONTAINER = refused("Use a package for Node.js.");
const ONE_ARCHIVE = refused("Give the code as an archive.");

export const lambdaFunction = servedType<FunctionInputs>(
  {
    name: served,
    code: served,
    handler: served,
    role: served,
    runtime: only(RUNTIMES, `Use the runtime ${RUNTIMES.join(" or ")}.`),
    environment: parts({ variables: served }),
    loggingConfig: parts({
      logFormat: served,
      logGroup: served,
      ...each(["applicationLogLevel", "systemLogLevel"], NO_EFFECT.monitoring),
    }),
    memorySize: between(128, 10_240),
    timeout: between(1, 900),
    architectures: withoutEffect("Functions run on the processor of this machine."),
    deadLetterConfig: refused(
      "Give it an aws.lambda.FunctionEventInvokeConfig with an on-failure destination.",
    ),
    ephemeralStorage: NO_EFFECT.billing,
    ...each(["imageConfig", "imageUri"], NO_CONTAINER),
    ...each(["kmsKeyArn", "sourceKmsKeyArn"], NO_EFFECT.encryption),
    layers: refused("Put their files into the function's own package."),
    packageType: only(["Zip"], "Use a package for Node.js."),
    reservedConcurrentExecutions: withoutEffect("At most four environments run a function."),
    ...each(["s3Bucket", "s3Key", "s3ObjectVersion"], ONE_ARCHIVE),
    ...each(["skipDestroy", "useResourceTimeoutForPropagation"], NO_EFFECT.deletion),
    sourceCodeHash: withoutEffect("Each run takes the current code."),
    tracingConfig: NO_EFFECT.monitoring,
    vpcConfig: refused("Functions reach the network of this machine: leave it out."),
  },
  async (resource, cloud) => {
    const { inputs } = resource;
    const functionName = inputs.name ?? physicalName(resource);
    const functionArn = `arn:aws:lambda:${cloud.region}:${cloud.accountId}:function:${functionName}`;
    await cloud.lambda.createFunction({
      functionName,
      functionArn,
      files: await filesOf(resource),
      ...settingsOf(inputs),
      credentials: cloud.roles.credentialsFor(inputs.role, functionName),
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
  },
);

export const permission = servedType<PermissionInputs>(
  {
    action: served,
    function: served,
    principal: only(/\.amazonaws\.com$/, "Allow a service, such as s3.amazonaws.com."),
    sourceAccount: served,
    sourceArn: served,
    statementId: served,
  },
  (resource, cloud) => {
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
  },
);

export const functionEventInvokeConfig = servedType<FunctionEventInvokeConfigInputs>(
  {
    functionName: served,
    destinationConfig: parts({
      onFailure: parts({ destination: served }),
      onSuccess: refused("Send the result in the function itself."),
    }),
    maximumEventAgeInSeconds: between(60, 21_600),
    maximumRetryAttempts: between(0, 2),
    qualifier: only(["$LATEST"]),
  },
  ({ inputs }, cloud) => {
    cloud.asyncConfigs.set(inputs.functionName, {
      maximumRetryAttempts:
        inputs.maximumRetryAttempts ?? DEFAULT_ASYNC_CONFIG.maximumRetryAttempts,
      maximumEventAgeSeconds:
        inputs.maximumEventAgeInSeconds ?? DEFAULT_ASYNC_CONFIG.maximumEventAgeSeconds,
      onFailureArn: inputs.destinationConfig?.onFailure?.destination,
    });
    return { id: inputs.functionName };
  },
);

export const eventSourceMapping = servedType<EventSourceMappingInputs>(
  {
    eventSourceArn: only(TABLE_STREAM, "Read from the stream of a DynamoDB table."),
    functionName: served,
    batchSize: served,
    bisectBatchOnFunctionError: served,
    destinationConfig: parts({ onFailure: parts({ destinationArn: served }) }),
    filterCriteria: parts({ filters: parts({ pattern: served }) }),
    functionResponseTypes: only(["ReportBatchItemFailures"]),
    maximumBatchingWindowInSeconds: served,
    maximumRecordAgeInSeconds: served,
    maximumRetryAttempts: served,
    parallelizationFactor: served,
    startingPosition: only(["TRIM_HORIZON", "LATEST"]),
    enabled: only([true], "Leave the mapping out."),
    kmsKeyArn: NO_EFFECT.encryption,
    metricsConfig: NO_EFFECT.monitoring,
    tumblingWindowInSeconds: only([0], "Aggregate in the function."),
    useResourceTimeoutForPropagation: NO_EFFECT.deletion,
  },
  (resource, cloud) => {
    const { inputs } = resource;
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
  },
);
