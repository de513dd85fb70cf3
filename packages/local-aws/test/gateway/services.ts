import { dynamoDbApi } from "../../dynamodb/service";
import type { Service, ServiceApi } from "../../gateway/service";
import type { HttpRequest, HttpResponse } from "../../http";
import type { Principal } from "../../iam/principal";
import { createS3Service } from "../../s3/service";
import { snsApi } from "../../sns/service";
import { sqsApi } from "../../sqs/service";

/** Answers a service's calls. */
export type Backend = (request: HttpRequest, principal: Principal) => Promise<HttpResponse>;

/** A service's API, in front of another backend. */
export function serviceOf(api: ServiceApi, backend: Backend): Service {
  return {
    ...api,
    read: (request) => ({
      ...api.read(request),
      forward: (principal) => backend(request, principal),
    }),
  };
}

/** The services, in front of one backend; S3 without buckets. */
export function servicesOf(backend: Backend): Service[] {
  return [
    ...[dynamoDbApi, sqsApi, snsApi].map((api) => serviceOf(api, backend)),
    s3ServiceOf(backend),
  ];
}

/** S3 in front of a backend. @param buckets without CORS rules, unless `corsRulesOf` gives some */
export function s3ServiceOf(
  backend: Backend,
  buckets: Partial<Omit<Parameters<typeof createS3Service>[0], "handle">> = {},
): Service {
  const { hasBucket = () => false, corsRulesOf = () => undefined } = buckets;
  return createS3Service({
    handle: (request, { principalArn: arn = "" } = {}) =>
      backend(request, { arn, accessKeyId: "", secretAccessKey: "", policies: [] }),
    hasBucket,
    corsRulesOf,
    region: "eu-central-1",
    receiverOf: () => undefined,
  });
}
