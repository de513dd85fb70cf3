import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import type { S3Event, S3EventRecord } from "aws-lambda";
import type { FileEvent } from "../../events/event";
import { freshSeconds } from "../../events/gracePeriod";
import { parseUploadKey } from "../../events/identity";
import { keyItem } from "../../events/item";
import { eventOfRecord } from "../../events/newEvent";
import type { Environment } from "../../runtime/environment";
import { logError, logInfo } from "../../runtime/log";
import {
  countedEventStore,
  type CountedEventVariable,
  type EventStore,
  putEvent,
} from "../../store/eventStore";

async function isKnown({ dynamo, tableName }: EventStore, event: FileEvent) {
  const { Item: item } = await dynamo.send(
    new GetItemCommand({
      TableName: tableName,
      Key: keyItem(event),
      ProjectionExpression: "event_id",
      // A row that has just been deleted must not be taken for there: its object would have none.
      ConsistentRead: true,
    }),
  );
  return item !== undefined;
}

/**
 * Whether the upload Lambda has put the object at the time in its key: nobody else puts under such
 * a key. The event's own time counts, however late it is delivered.
 */
function isFreshUpload({ eventName, eventTime }: S3EventRecord, event: FileEvent, seconds: number) {
  const difference = Date.parse(eventTime) - Date.parse(event.event_timestamp);
  return eventName === "ObjectCreated:Put" && Math.abs(difference) <= seconds * 1000;
}

/**
 * Writes a row `created` for each object that came into the bucket, unless it has one.
 *
 * It leaves alone what the upload API has just put: the API writes the row itself, and where it
 * could not, the sweeper finds the object (`settling.ts` says why none is lost between the two).
 * What has an upload's key otherwise, such as a form's file or a repeated request's, has its row
 * nearly always, so reading it comes first: a read unit instead of the write unit that a failed
 * condition costs.
 *
 * @throws when a record could not be written, after all others were: Lambda repeats the event, and
 *   the rows that are there already stay as they are. What no repeat mends ends in the dead-letter
 *   queue, where it is kept for people
 */
export function recordHandler(environment: Environment<CountedEventVariable | "STUCK_SECONDS">) {
  const store = countedEventStore(environment);
  const seconds = freshSeconds(Number(environment("STUCK_SECONDS")));

  const record = async (s3Record: S3EventRecord) => {
    const event = eventOfRecord(s3Record);
    const { event_id } = event;
    const { Key } = event.event_info;
    const isUpload = parseUploadKey(Key) !== undefined;
    if (isUpload && isFreshUpload(s3Record, event, seconds)) {
      logInfo("The upload API writes the row.", { event_id, key: Key });
      return;
    }
    if (isUpload && (await isKnown(store, event))) {
      logInfo("The row is there already.", { event_id, key: Key });
      return;
    }
    const written = await putEvent(store, event);
    logInfo(written ? "The row was written." : "The row is there already.", {
      event_id,
      key: Key,
    });
  };

  return async (event: Partial<S3Event>): Promise<void> => {
    if (!event.Records) {
      logInfo("This is no event of an object.", { event });
      return;
    }
    const outcomes = await Promise.allSettled(event.Records.map(record));
    const failures = outcomes.filter((outcome) => outcome.status === "rejected");
    for (const failure of failures) {
      logError("A record could not be written.", failure.reason, {});
    }
    if (failures[0]) {
      throw failures[0].reason;
    }
  };
}
