import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { DynamoDBStreamEvent } from "aws-lambda";
import type { EventResult, EventStatus, FileEvent } from "../../events/event";
import { fromItem, keyItem, toMap } from "../../events/item";

/** The events of a batch, after their changes. */
export function writtenEvents({ Records }: DynamoDBStreamEvent): FileEvent[] {
  return Records.flatMap(({ dynamodb }) =>
    dynamodb?.NewImage ? [fromItem(dynamodb.NewImage)] : [],
  );
}

/** The current row; undefined where there is none. */
export async function readRow(
  dynamo: DynamoDBClient,
  tableName: string,
  key: FileEvent,
): Promise<FileEvent | undefined> {
  const { Item: item } = await dynamo.send(
    new GetItemCommand({ TableName: tableName, Key: keyItem(key), ConsistentRead: true }),
  );
  return item && fromItem(item);
}

/** Writes the status, without a condition on the previous one. */
export async function writeStatus(
  dynamo: DynamoDBClient,
  tableName: string,
  key: FileEvent,
  status: EventStatus,
  result?: EventResult,
): Promise<void> {
  const setResult = result ? ", event_result = :result" : "";
  await dynamo.send(
    new UpdateItemCommand({
      TableName: tableName,
      Key: keyItem(key),
      UpdateExpression: `SET event_status = :status, updated_at = :now${setResult}`,
      ExpressionAttributeValues: {
        ":status": { S: status },
        ":now": { S: new Date().toISOString() },
        ...(result && { ":result": toMap(result) }),
      },
    }),
  );
}
