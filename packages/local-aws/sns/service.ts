import type { Service, ServiceApi } from "../gateway/service";
import { COMMON_RULES } from "../gateway/signature/canonicalRequest";
import { queryErrors } from "../protocols/query";
import type { Sns } from "./engine";
import { readCall } from "./operations";

const FORM = "application/x-www-form-urlencoded";

/** SNS's API. */
export const snsApi: ServiceApi = {
  name: "sns",
  errors: queryErrors({
    namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
    denied: "AuthorizationError",
  }),
  signing: COMMON_RULES,
  recognizes: ({ headers }) => headers["content-type"]?.startsWith(FORM) ?? false,
  read: readCall,
};

/** SNS behind the gateway. */
export function createSnsService(engine: Pick<Sns, "handle">): Service {
  return {
    ...snsApi,
    read(request) {
      const { operation, grants, form } = readCall(request);
      return { operation, grants, forward: () => engine.handle(request, form) };
    },
  };
}
