import type { S3Client } from "@aws-sdk/client-s3";
import type { S3Event, S3EventRecord } from "aws-lambda";
import { freshUploadSeconds, isFreshUpload } from "../../events/gracePeriod";
import {
  decodeS3Key,
  type KeyedUpload,
  parseUploadKey,
  UPLOAD_PREFIX,
} from "../../events/identity";
import { isFolderMarker } from "../../events/newEvent";
import { deleteArrived } from "../../runtime/deletedEvents";
import type { Environment } from "../../runtime/environment";
import { logError, logInfo } from "../../runtime/log";
import { s3Client } from "../../runtime/s3Client";
import { guardedEventStore, type GuardedEventVariable } from "../../store/eventStore";
import { linkStore, type LinkVariable } from "../../store/links/linkStore";
import { putObjectRow } from "../../store/objectRows";

/**
 * Whether the upload API has just put the object. It no longer makes keys of unbound identities: where
 * such a key is another object's, nobody else would write its row.
 */
function isLeftToUploadApi(
  record: S3EventRecord,
  { prefix, isUnbound, event_timestamp }: KeyedUpload,
  freshSeconds: number,
): boolean {
  return (
    prefix === UPLOAD_PREFIX && !isUnbound && isFreshUpload(record, event_timestamp, freshSeconds)
  );
}

/**
 * Writes a row `created` for each object that was created in the bucket, unless it has one, and deletes
 * an object whose event was deleted. The row of a file that came through an upload link confirms its claim.
 *
 * It skips fresh uploads of the upload API, which writes their rows; where that failed, the sweeper does
 * (see `gracePeriod.ts`).
 *
 * @throws the first error, after all other records were written. Lambda repeats the event, which
 *   does not change existing rows; after the last attempt, the event goes to the dead-letter queue
 */
export function recordHandler(
  environment: Environment<GuardedEventVariable | LinkVariable | "STUCK_SECONDS">,
) {
  const events = guardedEventStore(environment);
  const store = { ...events, ...linkStore(environment, events.dynamo) };
  /** Made at the first need, which is rare: a start does without. */
  let s3: S3Client | undefined;
  const freshSeconds = freshUploadSeconds(Number(environment("STUCK_SECONDS")));

  const record = async (s3Record: S3EventRecord) => {
    if (isFolderMarker(s3Record)) {
      logInfo("Folder marker ignored.", { key: s3Record.s3.object.key });
      return;
    }
    const key = decodeS3Key(s3Record.s3.object.key);
    const upload = parseUploadKey(key);
    if (upload && isLeftToUploadApi(s3Record, upload, freshSeconds)) {
      logInfo("Row left to the upload API.", { event_id: upload.event_id, key });
      return;
    }
    const { event, outcome } = await putObjectRow(store, s3Record, "record");
    if (outcome === "deleted") {
      s3 ??= s3Client();
      await deleteArrived(s3, event);
      return;
    }
    const fields = { event_id: event.event_id, key };
    logInfo(outcome === "written" ? "Row written." : "Row exists already.", fields);
  };

  return async (event: Partial<S3Event>): Promise<void> => {
    if (!event.Records) {
      logInfo("Event without records ignored.", { event });
      return;
    }
    const outcomes = await Promise.allSettled(event.Records.map(record));
    const failures = outcomes.filter((outcome) => outcome.status === "rejected");
    for (const failure of failures) {
      logError("Row not written.", failure.reason, {});
    }
    if (failures[0]) {
      throw failures[0].reason;
    }
  };
}
