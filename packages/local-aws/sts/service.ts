import { notImplemented } from "../awsError";
import type { Fauxqs } from "../fauxqs/fauxqs";
import type { Call, Service, ServiceApi } from "../gateway/service";
import { COMMON_RULES } from "../gateway/signature/canonicalRequest";
import type { HttpRequest } from "../http";
import { operationOf } from "../protocols/operation";
import { queryErrors } from "../protocols/query";

/** STS's API. */
export const stsApi: ServiceApi = {
  name: "sts",
  errors: queryErrors({
    namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    denied: "AccessDenied",
  }),
  signing: COMMON_RULES,
  // A form without a credential scope counts as a call to SNS.
  recognizes: () => false,
  read: readCall,
};

/** STS behind the gateway. */
export function createStsService(fauxqs: Pick<Fauxqs, "handle">): Service {
  return {
    ...stsApi,
    read: (request) => ({ ...readCall(request), forward: () => fauxqs.handle(request) }),
  };
}

function readCall(request: HttpRequest): Call {
  const name = operationOf(request);
  return {
    operation: `sts:${name}`,
    grants: () => {
      // Every caller may make this call.
      if (name === "GetCallerIdentity") {
        return [];
      }
      throw notImplemented(`sts:${name}`);
    },
  };
}
