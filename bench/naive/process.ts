import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import type { DynamoDBStreamEvent } from "aws-lambda";
import { type FileEvent, START_STATUSES } from "../../events/event";
import { inspectFile } from "../../handlers/process/inspectFile";
import { storedFile } from "../../handlers/process/storedFile";
import type { Environment } from "../../runtime/environment";
import { logInfo } from "../../runtime/log";
import { readRow, writeStatus, writtenEvents } from "./rows";

function isStarted({ event_status }: FileEvent): boolean {
  return START_STATUSES.some((status) => status === event_status);
}

/**
 * Sets the status of each `created` or `uploaded` row of a batch to `processed`. Skips rows in other
 * statuses.
 */
export function processHandler(environment: Environment<"TABLE_NAME">) {
  const dynamo = new DynamoDBClient({});
  const s3 = new S3Client({ responseChecksumValidation: "WHEN_REQUIRED" });
  const tableName = environment("TABLE_NAME");

  return async (batch: DynamoDBStreamEvent): Promise<void> => {
    for (const event of writtenEvents(batch).filter(isStarted)) {
      const row = await readRow(dynamo, tableName, event);
      if (row && isStarted(row)) {
        const result = await inspectFile(storedFile(s3, row));
        await writeStatus(dynamo, tableName, row, "processed", result);
        logInfo("File processed.", { event_id: row.event_id });
      }
    }
  };
}
