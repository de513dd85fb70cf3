import { averageBatch, type Batching } from "../model/batches";
import { invocationGbSeconds } from "../model/durations";
import { PLATFORM_LOG_BYTES, type UploadWork } from "../requests/uploadWork";
import { sum } from "../statistics";

/** How a pipeline batches: the part of an upload's work that uploads share. */
export interface Batches {
  /** Lambdas that read a stream, by logical name. */
  lambdas: Record<string, Batching>;
  /** Requests sent once for each batch: request → Lambda. */
  perBatch: Record<string, string>;
  /** The Lambda that sends one mail for each batch; undefined for a mail for each file. */
  mailsBy?: string;
}

/**
 * Stream shards of a new on-demand table: 4,000 write units a second on four partitions, each a
 * shard. With three writes for each upload they suffice up to 1,300 uploads a second.
 */
export const SHARDS = 4;

/** The setting's default. */
export const DIGEST_SECONDS = 1;

/** The batches of index.ts. */
export const OUR_BATCHES = {
  lambdas: {
    process: { recordsPerUpload: 1, batchSize: 100, windowSeconds: 0 },
    notify: { recordsPerUpload: 1, batchSize: 1000, windowSeconds: DIGEST_SECONDS },
  },
  perBatch: { "dynamodb:BatchGetItem": "notify", "sns:Publish": "notify" },
  mailsBy: "notify",
} satisfies Batches;

/** Without filters, both Lambdas get all three changes of a row. Each file has its own mail. */
export const NAIVE_BATCHES: Batches = {
  lambdas: {
    process: { recordsPerUpload: 3, batchSize: 100, windowSeconds: 0 },
    notify: { recordsPerUpload: 3, batchSize: 100, windowSeconds: 0 },
  },
  perBatch: {},
};

/**
 * The work of one upload at a steady rate of uploads.
 *
 * @param work of a single upload
 * @param rate uploads a second
 */
export function workAt(
  work: UploadWork,
  batches: Batches,
  rate: number,
  shards = SHARDS,
): UploadWork {
  const invocations = { ...work.invocations };
  const gbSeconds = { ...work.gbSeconds };
  for (const [lambda, batching] of Object.entries(batches.lambdas)) {
    const { recordsPerUpload } = batching;
    const batch = averageBatch(lambda, batching, (rate * recordsPerUpload) / shards);
    invocations[lambda] = recordsPerUpload / batch;
    gbSeconds[lambda] = invocations[lambda] * invocationGbSeconds(lambda, batch);
  }
  /** The share of a Lambda's invocations for a single upload that is left at this rate. */
  const shareOf = (lambda: string) =>
    (invocations[lambda] ?? 0) / (work.invocations[lambda] ?? Infinity);
  const requests = Object.fromEntries(
    Object.entries(work.requests).map(([request, count]) => {
      const lambda = batches.perBatch[request];
      return [request, lambda === undefined ? count : count * shareOf(lambda)];
    }),
  );
  const { mailsBy } = batches;
  const savedInvocations = sum(Object.values(work.invocations)) - sum(Object.values(invocations));
  return {
    ...work,
    invocations,
    gbSeconds,
    requests,
    mails: mailsBy === undefined ? work.mails : work.mails * shareOf(mailsBy),
    logBytes: work.logBytes - savedInvocations * PLATFORM_LOG_BYTES,
  };
}
