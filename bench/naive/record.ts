import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { S3Event } from "aws-lambda";
import { eventOfRecord } from "../../events/newEvent";
import type { Environment } from "../../runtime/environment";
import { logInfo } from "../../runtime/log";
import { countedEventStore, type CountedEventVariable } from "../../store/eventStore";
import { putEvent } from "../../store/rows";
import { readRow } from "./rows";

/** Writes a row `created` for each object without a row. */
export function recordHandler(environment: Environment<CountedEventVariable>) {
  const store = countedEventStore(environment, new DynamoDBClient({}));

  return async ({ Records: records = [] }: Partial<S3Event>): Promise<void> => {
    for (const record of records) {
      const event = eventOfRecord(record);
      if ((await readRow(store.dynamo, store.tableName, event)) === undefined) {
        await putEvent(store, event, "record");
      }
      logInfo("Row written.", { event_id: event.event_id });
    }
  };
}
