import type { Service, ServiceApi } from "../gateway/service";
import { COMMON_RULES } from "../gateway/signature/canonicalRequest";
import { jsonErrors } from "../protocols/json";
import { faultOf, isQueryRequest, queryErrors } from "../protocols/query";
import type { Sqs } from "./engine";
import { readCall } from "./operations";

const QUERY_ERRORS = queryErrors({
  namespace: "http://queue.amazonaws.com/doc/2012-11-05/",
  denied: "AccessDenied",
});

const JSON_ERRORS = jsonErrors({
  namespace: "com.amazonaws.sqs",
  denied: ["AccessDenied", 403],
  // SQS once spoke the query protocol; clients still read its error codes from this header.
  headersOf: (error) => ({ "x-amzn-query-error": `${error.code};${faultOf(error)}` }),
});

/** SQS's API. */
export const sqsApi: ServiceApi = {
  name: "sqs",
  errors: JSON_ERRORS,
  errorsOf: (request) => (isQueryRequest(request) ? QUERY_ERRORS : JSON_ERRORS),
  signing: COMMON_RULES,
  recognizes: ({ headers }) => headers["x-amz-target"]?.startsWith("AmazonSQS") ?? false,
  read: readCall,
};

/** SQS behind the gateway. */
export function createSqsService(engine: Pick<Sqs, "handle">): Service {
  return {
    ...sqsApi,
    read: (request) => ({ ...readCall(request), forward: () => engine.handle(request) }),
  };
}
