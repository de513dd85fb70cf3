import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { Context } from "aws-lambda";
import type { Environment } from "../../runtime/environment";
import { logError } from "../../runtime/log";
import { writeCounts } from "../../runtime/metrics";
import { sealPeriods } from "../../store/counts/sealPeriods";
import { guardedEventStore, type GuardedEventVariable } from "../../store/eventStore";
import { linkStore, type LinkVariable } from "../../store/links/linkStore";
import { consumersIn, readPositions } from "./consumers";
import { sweepDeadLetters } from "./deadLetters";
import { alarmsTo } from "./silentConsumer";
import { sweepStuckEvents } from "./stuckEvents";
import { noCounts, type SweepRun } from "./sweepRun";
import { sweepUnrecordedUploads } from "./unrecordedUploads";

/** Milliseconds; enough to finish the current page, with retries. */
const RESERVED_MS = 20_000;

/**
 * The scheduled handler that repairs what the other Lambdas missed: it redelivers stuck events,
 * writes missing rows for objects in the bucket's listing and in dead letters, and counts the events
 * of finished periods. Concurrent runs are safe: every write is conditional.
 *
 * @throws the first error, after all parts have ended
 */
export function sweepHandler(
  environment: Environment<
    | GuardedEventVariable
    | LinkVariable
    | "BUCKET_NAME"
    | "DEAD_LETTER_QUEUE_URL"
    | "STUCK_SECONDS"
    | "MAX_ATTEMPTS"
    | "CONSUMERS"
    | "ALARM_TOPIC_ARN"
  >,
) {
  const options = {
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
  };
  const s3 = new S3Client(options);
  const sqs = new SQSClient(options);
  const events = guardedEventStore(environment);
  const store = { ...events, ...linkStore(environment, events.dynamo) };
  const bucketName = environment("BUCKET_NAME");
  const queueUrl = environment("DEAD_LETTER_QUEUE_URL");
  const stuckSeconds = Number(environment("STUCK_SECONDS"));
  const consumers = consumersIn(environment("CONSUMERS"));
  const stuck = {
    maxAttempts: Number(environment("MAX_ATTEMPTS")),
    consumers,
    readPositions: () => readPositions(store.dynamo, consumers, stuckSeconds),
    sendAlarm: alarmsTo(store.dynamo, environment("ALARM_TOPIC_ARN")),
  };

  return async (_event: unknown, context: Context): Promise<void> => {
    const run: SweepRun = {
      store,
      s3,
      stuckSeconds,
      hasTime: () => context.getRemainingTimeInMillis() > RESERVED_MS,
      counts: noCounts(),
    };
    const parts = await Promise.allSettled([
      sweepStuckEvents(run, stuck),
      sweepUnrecordedUploads(run, bucketName),
      sweepDeadLetters(run, sqs, queueUrl),
      sealPeriods(store, run.hasTime),
    ]);
    const failures = parts.filter((part) => part.status === "rejected");
    for (const { reason } of failures) {
      run.counts.Errors += 1;
      logError("Part of the sweep failed.", reason, {});
    }
    writeCounts("S3Uploader", { ...run.counts });
    if (failures[0]) {
      throw failures[0].reason;
    }
  };
}
