import type { S3Event, S3EventRecord } from "aws-lambda";
import { freshUploadSeconds, isFreshUpload } from "../../events/gracePeriod";
import {
  decodeS3Key,
  type KeyedUpload,
  parseUploadKey,
  UPLOAD_PREFIX,
} from "../../events/identity";
import { isFolderMarker } from "../../events/newEvent";
import type { Environment } from "../../runtime/environment";
import { logError, logInfo } from "../../runtime/log";
import { countedEventStore, type CountedEventVariable } from "../../store/eventStore";
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
 * Writes a row `created` for each object that was created in the bucket, unless it has one.
 *
 * It skips fresh uploads of the upload API, which writes their rows; where that failed, the sweeper does
 * (see `gracePeriod.ts`).
 *
 * @throws the first error, after all other records were written. Lambda repeats the event, which
 *   does not change existing rows; after the last attempt, the event goes to the dead-letter queue
 */
export function recordHandler(environment: Environment<CountedEventVariable | "STUCK_SECONDS">) {
  const store = countedEventStore(environment);
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
    const { event, isWritten } = await putObjectRow(store, s3Record, "record");
    const fields = { event_id: event.event_id, key };
    logInfo(isWritten ? "Row written." : "Row exists already.", fields);
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
