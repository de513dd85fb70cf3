import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { Context } from "aws-lambda";
import type { Environment } from "../../runtime/environment";
import { logError } from "../../runtime/log";
import { writeCounts } from "../../runtime/metrics";
import { countedEventStore, type CountedEventVariable } from "../../store/eventStore";
import { sweepDeadLetters } from "./deadLetters";
import { sweepCounts } from "./finishedPeriods";
import { sweepStuck } from "./stuckEvents";
import type { SweepRun } from "./sweepRun";
import { sweepListing } from "./unrecordedUploads";

/** Enough to finish the page at hand, with retries. */
const RESERVED_MS = 20_000;

/**
 * The factory of the handler that a schedule starts, to set right what everybody else has missed:
 * it drives stuck events on, writes rows for objects that got none, as the listing and the dead
 * letters tell of them, and counts the events of periods that are over. Two at the same time do no
 * harm: every write has its condition.
 *
 * @throws the first error, after every part has done what it could
 */
export function sweepHandler(
  environment: Environment<
    | CountedEventVariable
    | "BUCKET_NAME"
    | "DEAD_LETTER_QUEUE_URL"
    | "STUCK_SECONDS"
    | "MAX_ATTEMPTS"
  >,
) {
  const options = {
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
  };
  const s3 = new S3Client(options);
  const sqs = new SQSClient(options);
  const store = countedEventStore(environment);
  const bucketName = environment("BUCKET_NAME");
  const queueUrl = environment("DEAD_LETTER_QUEUE_URL");
  const stuckSeconds = Number(environment("STUCK_SECONDS"));
  const maxAttempts = Number(environment("MAX_ATTEMPTS"));

  return async (_event: unknown, context: Context): Promise<void> => {
    const run: SweepRun = {
      store,
      stuckSeconds,
      hasTime: () => context.getRemainingTimeInMillis() > RESERVED_MS,
      counts: {
        DrivenOn: 0,
        GivenUp: 0,
        WrittenFromListing: 0,
        WrittenFromDeadLetters: 0,
        DeadLettersLeft: 0,
        Errors: 0,
      },
    };
    const parts = await Promise.allSettled([
      sweepStuck(run, maxAttempts),
      sweepListing(run, s3, bucketName),
      sweepDeadLetters(run, sqs, queueUrl),
      sweepCounts(run),
    ]);
    const failures = parts.filter((part) => part.status === "rejected");
    for (const { reason } of failures) {
      run.counts.Errors += 1;
      logError("A part of the sweep could not be finished.", reason, {});
    }
    writeCounts("S3Uploader", { ...run.counts });
    if (failures[0]) {
      throw failures[0].reason;
    }
  };
}
