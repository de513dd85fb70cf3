import { each, NO_EFFECT, only, parts, refused, served, withoutEffect } from "../resources/inputs";
import { notServed, physicalName } from "../resources/resource";
import { servedType } from "../resources/servedType";

interface RestApiInputs {
  /** An OpenAPI 2 document as JSON text, with AWS's extensions. */
  body?: string;
  name?: string;
  binaryMediaTypes?: string[];
  /** Bytes; the AWS provider's type is a string. */
  minimumCompressionSize?: string;
}

interface StageInputs {
  /** The REST API's id. */
  restApi: string;
  stageName: string;
}

interface MethodSettingsInputs {
  restApi: string;
  stageName: string;
  settings: { throttlingRateLimit?: number; throttlingBurstLimit?: number };
}

interface ApiKeyInputs {
  name?: string;
  value?: string;
}

interface UsagePlanInputs {
  name?: string;
  apiStages?: { apiId: string; stage: string }[];
  throttleSettings?: { rateLimit?: number; burstLimit?: number };
}

interface UsagePlanKeyInputs {
  keyId: string;
  usagePlanId: string;
}

/** AWS: a negative number stands for the account's limit. */
const ACCOUNT_LIMIT = -1;

/** Why a deployment has no effect. */
export const CURRENT_BODY = "A stage serves the API's current body at once.";

const ON_THE_MACHINE = withoutEffect("All endpoints are on 127.0.0.1, over HTTP.");

const USE_THE_BODY = "Describe it in the OpenAPI body.";

export const restApi = servedType<RestApiInputs>(
  {
    body: served,
    binaryMediaTypes: served,
    name: served,
    apiKeySource: only(["HEADER"], "Let clients send their keys in the header x-api-key."),
    endpointConfiguration: parts({
      types: only(["REGIONAL", "EDGE"], "Use a regional endpoint."),
      ipAddressType: ON_THE_MACHINE,
    }),
    minimumCompressionSize: served,
    ...each(["parameters", "putRestApiMode"], refused(USE_THE_BODY)),
    securityPolicy: ON_THE_MACHINE,
  },
  (resource, cloud) => {
    const { body, name = resource.name, binaryMediaTypes = [] } = resource.inputs;
    const { minimumCompressionSize: minimum } = resource.inputs;
    if (body === undefined) {
      const remedy =
        "Give the API its routes as an OpenAPI body, as awsx.classic.apigateway.API does.";
      throw notServed(resource, "has no body", remedy);
    }
    const id = apiIdOf(cloud.secret.derive(`REST API ${resource.name}`));
    cloud.restApis.create(id, {
      body,
      binaryMediaTypes,
      // Terraform's -1 stands for none.
      compressedFromBytes: minimum && Number(minimum) >= 0 ? Number(minimum) : undefined,
    });
    const arn = `arn:aws:execute-api:${cloud.region}:${cloud.accountId}:${id}`;
    return {
      id,
      state: { name, executionArn: arn, policy: "", apiKeySource: "HEADER" },
    };
  },
);

/**
 * Ids of REST APIs are ten lower-case letters and digits, which nobody can guess: a web page has to
 * know the id to send something to the API.
 */
function apiIdOf(bytes: Buffer): string {
  return bytes.readBigUInt64BE().toString(36).padStart(10, "0").slice(-10);
}

export const stage = servedType<StageInputs>(
  {
    restApi: served,
    stageName: served,
    ...each(["accessLogSettings", "xrayTracingEnabled"], NO_EFFECT.monitoring),
    deployment: withoutEffect(CURRENT_BODY),
    documentationVersion: NO_EFFECT.description,
    variables: refused("Give the function environment variables."),
  },
  ({ inputs }, cloud) => {
    const { restApi: apiId, stageName } = inputs;
    const invokeUrl = cloud.restApis.addStage(apiId, stageName);
    return { id: `ags-${apiId}-${stageName}`, state: { invokeUrl } };
  },
);

export const methodSettings = servedType<MethodSettingsInputs>(
  {
    restApi: served,
    stageName: served,
    methodPath: only(["*/*"], 'Use the method path "*/*".'),
    settings: parts({
      throttlingBurstLimit: served,
      throttlingRateLimit: served,
      ...each(["dataTraceEnabled", "loggingLevel", "metricsEnabled"], NO_EFFECT.monitoring),
    }),
  },
  (resource, cloud) => {
    const { restApi: apiId, stageName, settings } = resource.inputs;
    cloud.restApis.throttle(apiId, stageName, {
      rateLimit: settings.throttlingRateLimit ?? ACCOUNT_LIMIT,
      burstLimit: settings.throttlingBurstLimit ?? ACCOUNT_LIMIT,
    });
    return { id: physicalName(resource) };
  },
);

export const apiKey = servedType<ApiKeyInputs>(
  {
    name: served,
    value: served,
    enabled: only([true], "Leave the key out."),
    customerId: NO_EFFECT.description,
  },
  (resource, cloud) => {
    const id = physicalName(resource);
    const generated = cloud.secret.derive(`API key ${resource.name}`).toString("hex", 0, 20);
    const value = resource.inputs.value ?? generated;
    cloud.restApis.addKey(id, value);
    return { id, state: { name: resource.inputs.name ?? id, value, enabled: true } };
  },
);

export const usagePlan = servedType<UsagePlanInputs>(
  {
    name: served,
    apiStages: parts({
      apiId: served,
      stage: served,
      throttles: refused("Use the plan's throttleSettings."),
    }),
    productCode: NO_EFFECT.billing,
    quotaSettings: refused("Use throttleSettings."),
    throttleSettings: parts({ burstLimit: served, rateLimit: served }),
  },
  (resource, cloud) => {
    const id = physicalName(resource);
    const { name = id, apiStages = [], throttleSettings: throttle } = resource.inputs;
    cloud.restApis.addUsagePlan(id, apiStages, {
      rateLimit: throttle?.rateLimit ?? ACCOUNT_LIMIT,
      burstLimit: throttle?.burstLimit ?? ACCOUNT_LIMIT,
    });
    return { id, state: { name } };
  },
);

export const usagePlanKey = servedType<UsagePlanKeyInputs>(
  {
    keyId: served,
    usagePlanId: served,
    keyType: only(["API_KEY"]),
  },
  ({ inputs }, cloud) => {
    cloud.restApis.addKeyToPlan(inputs.usagePlanId, inputs.keyId);
    return { id: inputs.keyId };
  },
);
