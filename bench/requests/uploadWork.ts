/**
 * The average AWS work of one upload: the units of its bill and of AWS's limits.
 */
export interface UploadWork {
  /** Lambda invocations of one upload, by the Lambda's logical name. */
  invocations: Record<string, number>;
  /** GB-seconds of one upload, by the Lambda's logical name. */
  gbSeconds: Record<string, number>;
  /** Requests of one upload, by action: `s3:PutObject`, `dynamodb:UpdateItem`, … */
  requests: Record<string, number>;
  /** DynamoDB write units of one upload in tables, without their indexes. */
  tableWriteUnits: number;
  /** DynamoDB write units of one upload in indexes. */
  indexWriteUnits: number;
  /** Index write units by event status, which is the partition key. */
  indexWriteUnitsByStatus: Record<string, number>;
  /** DynamoDB read units of one upload. */
  readUnits: number;
  /** Mails of one upload, to each address. */
  mails: number;
  /** Bytes of log that CloudWatch ingests for one upload. */
  logBytes: number;
  /** Requests to the REST API of one upload. */
  restRequests: number;
}

/**
 * Bytes of Lambda's own log entries for an invocation: `platform.start` and `platform.report` in JSON,
 * each with the 26 bytes that CloudWatch adds.
 */
export const PLATFORM_LOG_BYTES = 520;
