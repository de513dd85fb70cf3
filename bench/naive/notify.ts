import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import type { DynamoDBStreamEvent } from "aws-lambda";
import type { FileEvent } from "../../events/event";
import { processedNotices } from "../../handlers/notify/processedNotice";
import type { Environment } from "../../runtime/environment";
import { logInfo } from "../../runtime/log";
import { readRow, writeStatus, writtenEvents } from "./rows";

function isProcessed({ event_status }: FileEvent): boolean {
  return event_status === "processed";
}

/**
 * Sends a mail for each `processed` row of a batch, and sets its status to `notified`. Skips rows in
 * other statuses.
 */
export function notifyHandler(environment: Environment<"TABLE_NAME" | "TOPIC_ARN">) {
  const dynamo = new DynamoDBClient({});
  const sns = new SNSClient({});
  const tableName = environment("TABLE_NAME");
  const topicArn = environment("TOPIC_ARN");

  return async (batch: DynamoDBStreamEvent): Promise<void> => {
    for (const event of writtenEvents(batch).filter(isProcessed)) {
      const row = await readRow(dynamo, tableName, event);
      if (!row || !isProcessed(row)) {
        continue;
      }
      for (const { subject, message } of processedNotices([row])) {
        await sns.send(
          new PublishCommand({ TopicArn: topicArn, Subject: subject, Message: message }),
        );
      }
      await writeStatus(dynamo, tableName, row, "notified");
      logInfo("Notification published.", { event_id: row.event_id });
    }
  };
}
