import { randomUUID } from "node:crypto";
import { notImplemented } from "../awsError";
import type { Call, Service, ServiceApi } from "../gateway/service";
import { COMMON_RULES } from "../gateway/signature/canonicalRequest";
import type { HttpRequest } from "../http";
import { operationOf } from "../protocols/operation";
import { getMetricData } from "./getMetricData";
import type { Metrics } from "./metrics";
import { API, operationInPath, protocolOf } from "./protocols";

const SERVED = "GetMetricData";

/** CloudWatch's API. */
export const cloudWatchApi: ServiceApi = {
  name: "monitoring",
  errors: protocolOf({ method: "POST", url: "/", headers: {}, body: Buffer.alloc(0) }).errors,
  errorsOf: (request) => protocolOf(request).errors,
  signing: COMMON_RULES,
  recognizes: (request) =>
    (request.headers["x-amz-target"]?.startsWith(`${API}.`) ?? false) ||
    operationInPath(request) !== undefined,
  read: readCall,
};

/** CloudWatch behind the gateway. */
export function createCloudWatchService(metrics: Metrics): Service {
  return {
    ...cloudWatchApi,
    read: (request) => ({
      ...readCall(request),
      forward: () => {
        const protocol = protocolOf(request);
        const answer = getMetricData(metrics, protocol.parametersOf(request));
        return Promise.resolve(protocol.answer(SERVED, answer, randomUUID()));
      },
    }),
  };
}

function readCall(request: HttpRequest): Call {
  const name = operationInPath(request) ?? operationOf(request);
  return {
    operation: `cloudwatch:${name}`,
    grants: () => {
      if (name !== SERVED) {
        throw notImplemented(`cloudwatch:${name}`);
      }
      // The action has no resource type.
      return [{ action: "cloudwatch:GetMetricData", resource: "*" }];
    },
  };
}
