import { randomBytes } from "node:crypto";
import { notServed, physicalName, type Provision } from "../resources/resource";

interface RestApiInputs {
  /** An OpenAPI 2 document as JSON text, with AWS's extensions. */
  body?: string;
  binaryMediaTypes?: string[];
}

interface StageInputs {
  /** The REST API's id. */
  restApi: string;
  stageName: string;
}

interface MethodSettingsInputs {
  restApi: string;
  stageName: string;
  methodPath: string;
  settings: { throttlingRateLimit?: number; throttlingBurstLimit?: number };
}

interface UsagePlanInputs {
  apiStages?: { apiId: string; stage: string }[];
  throttleSettings?: { rateLimit?: number; burstLimit?: number };
  quotaSettings?: object;
}

interface UsagePlanKeyInputs {
  keyId: string;
  usagePlanId: string;
}

/** AWS: a negative number stands for the account's limit. */
const ACCOUNT_LIMIT = -1;

export const restApi: Provision<RestApiInputs> = (resource, cloud) => {
  const { body, binaryMediaTypes = [] } = resource.inputs;
  if (body === undefined) {
    const remedy =
      "Give the API its routes as an OpenAPI body, as awsx.classic.apigateway.API does.";
    throw notServed(resource, "has no body", remedy);
  }
  // Ids of REST APIs are ten lower-case letters and digits.
  const id = physicalName(resource)
    .replaceAll(/[^a-z0-9]/g, "")
    .slice(-10);
  cloud.restApis.create(id, { body, binaryMediaTypes });
  const arn = `arn:aws:execute-api:${cloud.region}:${cloud.accountId}:${id}`;
  return {
    id,
    state: { name: resource.name, executionArn: arn, policy: "", apiKeySource: "HEADER" },
  };
};

export const stage: Provision<StageInputs> = ({ inputs }, cloud) => {
  const { restApi: apiId, stageName } = inputs;
  const invokeUrl = cloud.restApis.addStage(apiId, stageName);
  return { id: `ags-${apiId}-${stageName}`, state: { invokeUrl } };
};

export const methodSettings: Provision<MethodSettingsInputs> = (resource, cloud) => {
  const { restApi: apiId, stageName, methodPath, settings } = resource.inputs;
  if (methodPath !== "*/*") {
    throw notServed(resource, `is for the method "${methodPath}"`, 'Use the method path "*/*".');
  }
  cloud.restApis.throttle(apiId, stageName, {
    rateLimit: settings.throttlingRateLimit ?? ACCOUNT_LIMIT,
    burstLimit: settings.throttlingBurstLimit ?? ACCOUNT_LIMIT,
  });
  return { id: physicalName(resource) };
};

export const apiKey: Provision<{ value?: string }> = (resource, cloud) => {
  const id = physicalName(resource);
  const value = resource.inputs.value ?? randomBytes(20).toString("hex");
  cloud.restApis.addKey(id, value);
  return { id, state: { value, enabled: true } };
};

export const usagePlan: Provision<UsagePlanInputs> = (resource, cloud) => {
  const id = physicalName(resource);
  const { apiStages = [], throttleSettings: throttle, quotaSettings } = resource.inputs;
  if (quotaSettings !== undefined) {
    throw notServed(resource, "has a quota", "Use throttleSettings.");
  }
  cloud.restApis.addUsagePlan(id, apiStages, {
    rateLimit: throttle?.rateLimit ?? ACCOUNT_LIMIT,
    burstLimit: throttle?.burstLimit ?? ACCOUNT_LIMIT,
  });
  return { id };
};

export const usagePlanKey: Provision<UsagePlanKeyInputs> = ({ inputs }, cloud) => {
  cloud.restApis.addKeyToPlan(inputs.usagePlanId, inputs.keyId);
  return { id: inputs.keyId };
};
