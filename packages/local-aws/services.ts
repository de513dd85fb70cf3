import type { Metrics } from "./cloudWatch/metrics";
import { cloudWatchApi, createCloudWatchService } from "./cloudWatch/service";
import type { DynamoDbEngine } from "./dynamodb/engine";
import { createDynamoDbService, dynamoDbApi } from "./dynamodb/service";
import type { Fauxqs } from "./fauxqs/fauxqs";
import { findService } from "./gateway/findService";
import type { Service, ServiceApi } from "./gateway/service";
import { unserved } from "./gateway/unserved";
import type { HttpRequest } from "./http";
import type { S3 } from "./s3/engine";
import { createS3Service, s3Api } from "./s3/service";
import type { Sns } from "./sns/engine";
import { createSnsService, snsApi } from "./sns/service";
import type { Sqs } from "./sqs/engine";
import { createSqsService, sqsApi } from "./sqs/service";
import { createStsService, stsApi } from "./sts/service";

/** The engines that serve the calls. */
export interface Engines {
  metrics: Metrics;
  dynamoDb: Pick<DynamoDbEngine, "handle">;
  s3: Pick<S3, "handle" | "hasBucket" | "corsRulesOf" | "receiverOf" | "region">;
  sns: Pick<Sns, "handle">;
  sqs: Pick<Sqs, "handle">;
  fauxqs: Pick<Fauxqs, "handle">;
}

// Functions have AWS's clients for these, too; their calls are answered with 501.
const UNSERVED = [
  unserved("lambda", {
    errors: { namespace: "com.amazonaws.lambda", contentType: "application/json" },
  }),
  unserved("logs", { errors: { namespace: "com.amazonaws.logs" }, targetPrefix: "Logs_" }),
];

/** In the order in which they recognize requests; S3, the last, recognizes every request. */
export const SERVICE_APIS: readonly ServiceApi[] = [
  dynamoDbApi,
  sqsApi,
  cloudWatchApi,
  ...UNSERVED,
  snsApi,
  stsApi,
  s3Api,
];

/** The services of the local cloud, for the gateway. */
export function createServices({ metrics, dynamoDb, s3, sns, sqs, fauxqs }: Engines): Service[] {
  return [
    createDynamoDbService(dynamoDb),
    createSqsService(sqs),
    createCloudWatchService(metrics),
    ...UNSERVED,
    createSnsService(sns),
    createStsService(fauxqs),
    createS3Service(s3),
  ];
}

/**
 * The API operation that a request calls, such as `dynamodb:PutItem`. Nothing of it is verified.
 *
 * @throws AwsError for a request that cannot be read
 */
export function describeCall(request: HttpRequest): string {
  return findService(SERVICE_APIS, request).read(request).operation;
}
