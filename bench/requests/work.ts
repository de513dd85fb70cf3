/**
 * The work that one upload makes AWS do, on average: what a bill is made of, and what limits count.
 */
export interface UploadWork {
  /** Lambda invocations of one upload, by the Lambda's logical name. */
  invocations: Record<string, number>;
  /** GB-seconds of one upload, by the Lambda's logical name. */
  gbSeconds: Record<string, number>;
  /** Requests of one upload, by action: `s3:PutObject`, `dynamodb:UpdateItem`, … */
  requests: Record<string, number>;
  /** DynamoDB write units of one upload in tables; what is written in their indexes is apart. */
  tableWriteUnits: number;
  /** DynamoDB write units of one upload in indexes. */
  indexWriteUnits: number;
  /** The index write units by the event status whose partition they are written to. */
  indexWriteUnitsByStatus: Record<string, number>;
  /** DynamoDB read units of one upload. */
  readUnits: number;
  /** Mails of one upload, to each address. */
  mails: number;
  /** Bytes of log that CloudWatch takes in for one upload. */
  logBytes: number;
  /** Requests to the REST API of one upload. */
  restRequests: number;
}

/**
 * Bytes of what Lambda itself logs of an invocation: `platform.start` and `platform.report` in JSON,
 * each with the 26 bytes that CloudWatch adds to an entry.
 */
export const PLATFORM_LOG_BYTES = 520;
