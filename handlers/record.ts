import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import type { S3Event, S3EventRecord } from "aws-lambda";
import type { FileEvent } from "../events/event";
import { parseUploadKey } from "../events/identity";
import { keyItem } from "../events/item";
import { countedEventStore, type EventStore, putEvent } from "./eventStore";
import { logError, logInfo } from "./log";
import { eventOfRecord } from "./newEvent";

async function isKnown({ dynamo, tableName }: EventStore, event: FileEvent) {
  const { Item: item } = await dynamo.send(
    new GetItemCommand({
      TableName: tableName,
      Key: keyItem(event),
      ProjectionExpression: "event_id",
      // A stale read is harmless: the row is put on condition that it is not there.
      ConsistentRead: false,
    }),
  );
  return item !== undefined;
}

/**
 * Writes a row `created` for each object that came into the bucket, unless it has one.
 *
 * An upload has its row nearly always, so reading it comes first: half a read unit instead of the
 * write unit that a failed condition costs.
 *
 * Environment: TABLE_NAME, COUNTS_TABLE_NAME.
 *
 * @throws when a record could not be written, after all others were: Lambda repeats the event, and
 *   the rows that are there already stay as they are. What no repeat mends ends in the dead-letter
 *   queue, where it is kept for people
 */
export function recordHandler() {
  const store = countedEventStore();

  const record = async (s3Record: S3EventRecord) => {
    const event = eventOfRecord(s3Record);
    const { event_id } = event;
    const { Key } = event.event_info;
    if (parseUploadKey(Key) && (await isKnown(store, event))) {
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
