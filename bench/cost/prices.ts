/** The AWS price of a unit. */
export interface Price {
  /** US dollars for a million units. */
  perMillion: number;
  unit: string;
  /** Where AWS publishes it. */
  source: string;
}

const DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/";
const LAMBDA = "https://aws.amazon.com/lambda/pricing/";
const S3 = "https://aws.amazon.com/s3/pricing/";
const SNS = "https://aws.amazon.com/sns/pricing/";

/** When the prices were last compared with AWS's pages. */
export const PRICES_OF = "November 2026, us-east-1";

/**
 * The first tier of each price, without free tiers, so that the cost is proportional to the work.
 */
export const PRICES = {
  restRequest: {
    perMillion: 3.5,
    unit: "request to a REST API",
    source: "https://aws.amazon.com/api-gateway/pricing/",
  },
  lambdaRequest: { perMillion: 0.2, unit: "invocation", source: LAMBDA },
  lambdaGbSecond: { perMillion: 13.3334, unit: "GB-second on arm64", source: LAMBDA },
  s3Put: { perMillion: 5, unit: "PUT, COPY, POST or LIST request", source: S3 },
  s3Get: { perMillion: 0.4, unit: "GET or any other request", source: S3 },
  tableWriteUnit: { perMillion: 0.625, unit: "write unit, on demand", source: DYNAMODB },
  tableReadUnit: { perMillion: 0.125, unit: "read unit, on demand", source: DYNAMODB },
  // Reads by Lambda triggers are free.
  streamRead: {
    perMillion: 0,
    unit: "read of a stream by Lambda",
    source:
      "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CostOptimization_StreamsUsage.html",
  },
  snsPublish: { perMillion: 0.5, unit: "publish of up to 64 kB", source: SNS },
  mail: { perMillion: 20, unit: "mail to one address", source: SNS },
  sqsRequest: {
    perMillion: 0.4,
    unit: "request to a standard queue",
    source: "https://aws.amazon.com/sqs/pricing/",
  },
  logByte: {
    // 0.50 for a GB of 2^30 bytes.
    perMillion: (0.5 * 1e6) / 2 ** 30,
    unit: "byte ingested by CloudWatch Logs",
    source: "https://aws.amazon.com/cloudwatch/pricing/",
  },
} as const satisfies Record<string, Price>;

export type Prices = Record<keyof typeof PRICES, Price>;
