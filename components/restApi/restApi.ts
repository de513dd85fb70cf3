import * as aws from "@pulumi/aws";
import * as apigateway from "@pulumi/awsx/classic/apigateway";
import * as pulumi from "@pulumi/pulumi";
import { gatewayResponses } from "./gatewayResponses";

/** Request rate limit. */
export interface Throttle {
  /** Average over time. */
  requestsPerSecond: number;
  /** Most requests at once. */
  burst: number;
}

export interface RestApiArgs {
  routes: apigateway.EventHandlerRoute[];
  /** The message for a body that is too large for API Gateway or Lambda. */
  tooLarge: string;
  throttle: Throttle;
  /** Origins whose pages may read API Gateway's own errors. @default none */
  corsOrigins?: string[];
  /**
   * From how many bytes on answers are compressed for clients that accept it. API Gateway then also
   * decompresses the bodies of requests.
   *
   * @default no compression
   */
  compressedFromBytes?: number;
}

/** A throttled REST API whose own errors have the form of the Lambdas' errors. */
export function restApi(parent: pulumi.Resource, name: string, args: RestApiArgs): apigateway.API {
  const api = new apigateway.API(
    name,
    {
      routes: args.routes,
      restApiArgs: {
        endpointConfiguration: { types: "REGIONAL" },
        minimumCompressionSize: args.compressedFromBytes?.toString(),
      },
      gatewayResponses: gatewayResponses(args.tooLarge, args.corsOrigins ?? []),
    },
    { parent },
  );
  new aws.apigateway.MethodSettings(
    name,
    {
      restApi: api.restAPI.id,
      stageName: api.stage.stageName,
      methodPath: "*/*",
      settings: {
        throttlingRateLimit: args.throttle.requestsPerSecond,
        throttlingBurstLimit: args.throttle.burst,
      },
    },
    { parent },
  );
  return api;
}

/** A key for the routes that need one: a secret, for the header `x-api-key`. */
export function apiKey(
  parent: pulumi.Resource,
  name: string,
  api: apigateway.API,
  throttle: Throttle,
): pulumi.Output<string> {
  const key = new aws.apigateway.ApiKey(name, {}, { parent });
  const plan = new aws.apigateway.UsagePlan(
    name,
    {
      apiStages: [{ apiId: api.restAPI.id, stage: api.stage.stageName }],
      throttleSettings: { rateLimit: throttle.requestsPerSecond, burstLimit: throttle.burst },
    },
    { parent },
  );
  new aws.apigateway.UsagePlanKey(
    name,
    { keyId: key.id, keyType: "API_KEY", usagePlanId: plan.id },
    { parent },
  );
  return pulumi.secret(key.value);
}
