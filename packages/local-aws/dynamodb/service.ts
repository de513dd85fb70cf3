import { crc32 } from "node:zlib";
import type { Service, ServiceApi } from "../gateway/service";
import { COMMON_RULES } from "../gateway/signature/canonicalRequest";
import { jsonErrors } from "../protocols/json";
import type { DynamoDbEngine } from "./engine";
import { readCall } from "./operations";

/** DynamoDB's API. */
export const dynamoDbApi: ServiceApi = {
  name: "dynamodb",
  errors: jsonErrors({
    namespace: "com.amazonaws.dynamodb.v20120810",
    internal: "InternalServerError",
  }),
  signing: COMMON_RULES,
  recognizes: ({ headers }) => headers["x-amz-target"]?.startsWith("DynamoDB") ?? false,
  read: readCall,
};

/** DynamoDB behind the gateway. */
export function createDynamoDbService(engine: Pick<DynamoDbEngine, "handle">): Service {
  return {
    ...dynamoDbApi,
    read: (request) => ({ ...readCall(request), forward: () => engine.handle(request) }),
    // Clients compare it with the body; the Go SDK warns where it is missing.
    decorate: (_request, response) => ({
      ...response,
      headers: { ...response.headers, "x-amz-crc32": `${crc32(response.body)}` },
    }),
  };
}
