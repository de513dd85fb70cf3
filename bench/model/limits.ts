import type { UploadWork } from "../requests/uploadWork";
import { averageBatch, type Batching, POLL_SECONDS } from "./batches";
import { invocationMs } from "./durations";

/** The properties of a stack that decide its rate of uploads. */
export interface Stack {
  /** The work of a single upload. */
  work: UploadWork;
  /** Batches of the stream's two readers. */
  readers: { process: Batching; notify: Batching };
  /** Partitions of the index for each status. */
  statusShards: number;
  /** Write units a second that the table accepts without warming up; the same for the index. */
  warmWriteUnits: number;
  /** Concurrent batches of one stream shard, for each reader. */
  parallelizationFactor: number;
  /** Setting of the API. */
  requestsPerSecond: number;
}

/** A limit on the rate of uploads. */
export interface Limit {
  limit: string;
  /** Uploads a second; Infinity where it is never reached. */
  rate: number;
  /** How to raise it. */
  movedBy: string;
  /** Where AWS documents it. */
  source: string;
}

/** Write units a second of one partition of a table or an index. */
export const PARTITION_WRITE_UNITS = 1000;

/** Read units a second of one partition. */
export const PARTITION_READ_UNITS = 3000;

/** Write units a second that a new on-demand table accepts. */
export const NEW_TABLE_WRITE_UNITS = 4000;

const TABLE_QUOTA_WRITE_UNITS = 40_000;

const STREAM_READ_RECORDS = 1000;

const LAMBDA_CONCURRENCY = 1000;

/** An execution environment answers at most ten synchronous requests a second. */
const SYNCHRONOUS_SECONDS = 0.1;

const API_REQUESTS_PER_SECOND = 10_000;

const S3_PUTS_PER_SECOND = 3500;

const MAILS_PER_SECOND = 10;

/** Files of one digest: about 330 bytes each, of the 256,000 of a message. */
const FILES_PER_MAIL = 775;

const DOCS = "https://docs.aws.amazon.com";
const DYNAMODB = `${DOCS}/amazondynamodb/latest/developerguide`;
const LAMBDA = `${DOCS}/lambda/latest/dg`;

/** A partition of the table is a shard of its stream. */
export function shardsOf({ warmWriteUnits }: Pick<Stack, "warmWriteUnits">): number {
  return Math.max(1, Math.ceil(warmWriteUnits / PARTITION_WRITE_UNITS));
}

/** A status is one key of the index, and the rows of all uploads pass through each status. */
function indexPartition({ work, statusShards }: Stack): Limit {
  const [status = "", units = 0] =
    Object.entries(work.indexWriteUnitsByStatus).toSorted(([, a], [, b]) => b - a)[0] ?? [];
  return {
    limit: `index partition of status "${status}": 1,000 write units/s`,
    rate: (PARTITION_WRITE_UNITS * statusShards) / units,
    movedBy: "statusShards",
    source: `${DYNAMODB}/bp-partition-key-design.html`,
  };
}

function warmTable({ work, warmWriteUnits }: Stack): Limit {
  return {
    limit: `the table's warm throughput: ${warmWriteUnits} write units/s`,
    rate: warmWriteUnits / work.tableWriteUnits,
    movedBy: "pre-warming the table; else it doubles in 30 minutes",
    source: `${DYNAMODB}/warm-throughput-scenarios.html`,
  };
}

function warmIndex({ work, warmWriteUnits }: Stack): Limit {
  return {
    limit: `the index's warm throughput: ${warmWriteUnits} write units/s`,
    rate: warmWriteUnits / work.indexWriteUnits,
    movedBy: "pre-warming the index; else it doubles in 30 minutes",
    source: `${DYNAMODB}/warm-throughput-scenarios.html`,
  };
}

function tableQuota({ work }: Stack): Limit {
  return {
    limit: "quota of a table and of each index: 40,000 write units/s",
    rate: TABLE_QUOTA_WRITE_UNITS / Math.max(work.tableWriteUnits, work.indexWriteUnits),
    movedBy: "AWS, on request",
    source: `${DYNAMODB}/ServiceQuotas.html`,
  };
}

/** Records a second of one reader, in all shards. */
function readerRate(stack: Stack, lambda: "process" | "notify"): number {
  const { batchSize } = stack.readers[lambda];
  const batches = stack.parallelizationFactor / (invocationMs(lambda, batchSize) / 1000);
  return shardsOf(stack) * batches * batchSize;
}

function reader(stack: Stack, lambda: "process" | "notify"): Limit {
  const { batchSize, recordsPerUpload } = stack.readers[lambda];
  return {
    limit: `${lambda}: one batch of ${batchSize} at a time in each of ${shardsOf(stack)} shards`,
    rate: readerRate(stack, lambda) / recordsPerUpload,
    movedBy: "parallelizationFactor of its mapping; more partitions",
    source: `${LAMBDA}/with-ddb.html`,
  };
}

/** Lambda reads all changes before it filters them. */
function streamReads(stack: Stack): Limit {
  const changes = Object.keys(stack.work.indexWriteUnitsByStatus).length;
  return {
    limit: "reads of the stream: 1,000 records, four times a second",
    rate: (shardsOf(stack) * STREAM_READ_RECORDS) / POLL_SECONDS / changes,
    movedBy: "more partitions",
    source: `${DOCS}/amazondynamodb/latest/APIReference/API_streams_GetRecords.html`,
  };
}

/** Little's law: concurrency is arrivals a second times seconds of each. */
function lambdaConcurrency(stack: Stack): Limit {
  const streamReaders = 2 * shardsOf(stack) * stack.parallelizationFactor;
  const secondsOfUpload = Math.max(SYNCHRONOUS_SECONDS, invocationMs("upload", 1) / 1000);
  const seconds = secondsOfUpload + invocationMs("record", 1) / 1000;
  return {
    limit: "Lambda: 1,000 environments at a time in an account and region",
    rate: (LAMBDA_CONCURRENCY - streamReaders) / seconds,
    movedBy: "AWS, on request",
    source: `${LAMBDA}/lambda-concurrency.html`,
  };
}

/** Beyond it nothing is lost: S3's events wait for up to six hours. */
function recordAlone(): Limit {
  return {
    limit: "record: its events wait once it has all 1,000 environments",
    rate: LAMBDA_CONCURRENCY / (invocationMs("record", 1) / 1000),
    movedBy: "AWS, on request",
    source: `${LAMBDA}/invocation-async.html`,
  };
}

function apiThrottle({ requestsPerSecond, work }: Stack): Limit {
  return {
    limit: `the API's own throttle: ${requestsPerSecond} requests/s`,
    rate: requestsPerSecond / work.restRequests,
    movedBy: "requestsPerSecond",
    source: `${DOCS}/apigateway/latest/developerguide/api-gateway-request-throttling.html`,
  };
}

function apiQuota({ work }: Stack): Limit {
  return {
    limit: "API Gateway: 10,000 requests/s in an account and region",
    rate: API_REQUESTS_PER_SECOND / work.restRequests,
    movedBy: "AWS, on request",
    source: `${DOCS}/apigateway/latest/developerguide/limits.html`,
  };
}

function s3Prefix({ work }: Stack): Limit {
  return {
    limit: "S3: 3,500 PUTs/s under one prefix",
    rate: S3_PUTS_PER_SECOND / (work.requests["s3:PutObject"] ?? 1),
    movedBy: "time (S3 splits the prefix), or keys under more prefixes",
    source: `${DOCS}/AmazonS3/latest/userguide/optimizing-performance.html`,
  };
}

/** Mails a second to each address at a rate of uploads. */
export function mailsPerSecond(stack: Stack, rate: number): number {
  const shards = shardsOf(stack);
  const records = rate / shards;
  const batch = averageBatch("notify", stack.readers.notify, records);
  return shards * (records / batch) * Math.max(1, batch / FILES_PER_MAIL);
}

/** The lowest rate with too many mails, by bisection: mails increase with the rate. */
function mail(stack: Stack): Limit {
  let low = 0;
  let high = 1e6;
  while (high - low > low * 1e-6 + 1e-6) {
    const middle = (low + high) / 2;
    if (mailsPerSecond(stack, middle) > MAILS_PER_SECOND) {
      high = middle;
    } else {
      low = middle;
    }
  }
  return {
    limit: `SNS suspends an address above 10 mails/s: ${shardsOf(stack)} shards mail on their own`,
    rate: high,
    movedBy: "digestSeconds",
    source: "https://repost.aws/knowledge-center/sns-email-subscription-disabled",
  };
}

/** All limits of a stack, lowest first. */
export function limitsOf(stack: Stack): Limit[] {
  return [
    indexPartition(stack),
    warmTable(stack),
    warmIndex(stack),
    tableQuota(stack),
    reader(stack, "process"),
    reader(stack, "notify"),
    streamReads(stack),
    lambdaConcurrency(stack),
    recordAlone(),
    apiThrottle(stack),
    apiQuota(stack),
    s3Prefix(stack),
    mail(stack),
  ].toSorted((a, b) => a.rate - b.rate);
}
