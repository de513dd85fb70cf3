import type { S3Event, S3EventRecord } from "aws-lambda";
import { freshUploadSeconds, isFreshUpload } from "../../events/gracePeriod";
import { parseUploadKey } from "../../events/identity";
import { eventOfRecord, isFolderMarker } from "../../events/newEvent";
import type { Environment } from "../../runtime/environment";
import { logError, logInfo } from "../../runtime/log";
import { countedEventStore, type CountedEventVariable } from "../../store/eventStore";
import { isRecorded, putEvent } from "../../store/rows";

/**
 * Writes a row `created` for each object that was created in the bucket, unless it has one.
 *
 * It skips fresh uploads: the upload API writes their rows, and where that failed, the sweeper does
 * (see `gracePeriod.ts`). Any other upload, such as one by a form, nearly always has a row: reading
 * it first costs a read unit, where a failed conditional write would cost a write unit.
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
    const event = eventOfRecord(s3Record);
    const fields = { event_id: event.event_id, key: event.event_info.Key };
    const isUpload = parseUploadKey(event.event_info.Key) !== undefined;
    if (isUpload && isFreshUpload(s3Record, event.event_timestamp, freshSeconds)) {
      logInfo("Row left to the upload API.", fields);
      return;
    }
    if (isUpload && (await isRecorded(store, event))) {
      logInfo("Row exists already.", fields);
      return;
    }
    const written = await putEvent(store, event, "record");
    logInfo(written ? "Row written." : "Row exists already.", fields);
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
