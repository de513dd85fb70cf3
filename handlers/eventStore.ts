import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { EventError, EventKey, EventResult, EventStatus, FileEvent } from "../events/event";
import { keyItem, newItem, toMap } from "../events/item";
import { predecessorsOf } from "../events/transitions";
import { isConditionFailed } from "./awsErrors";

/** What a transition writes besides the status. */
export interface Changes {
  event_result?: EventResult;
  last_error?: EventError;
  failed_from?: EventStatus;
}

/**
 * A DynamoDB client for handlers: it gives up early enough for the handler to answer itself.
 * Called from callback factories only: a client cannot be serialized.
 */
export function dynamoClient(
  { maxAttempts, requestTimeout } = { maxAttempts: 3, requestTimeout: 3000 },
): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts,
    // Without the third option, the SDK only warns of a request that takes too long, and waits on.
    requestHandler: { connectionTimeout: 1000, requestTimeout, throwOnRequestTimeout: true },
  });
}

/**
 * Puts a new event, unless its row is there already.
 *
 * @returns whether this call wrote it
 */
export async function putEvent(
  dynamo: DynamoDBClient,
  tableName: string,
  event: FileEvent,
): Promise<boolean> {
  try {
    await dynamo.send(
      new PutItemCommand({
        TableName: tableName,
        Item: newItem(event),
        ConditionExpression: "attribute_not_exists(event_id)",
      }),
    );
    return true;
  } catch (error) {
    if (isConditionFailed(error)) {
      return false;
    }
    throw error;
  }
}

/**
 * Moves an event on to `to`, if it is in a status that comes before it.
 *
 * @returns whether this call moved it; false means that somebody did it already
 */
export async function advanceEvent(
  dynamo: DynamoDBClient,
  tableName: string,
  key: EventKey,
  to: EventStatus,
  changes: Changes = {},
): Promise<boolean> {
  const sets = ["event_status = :to", "updated_at = :now"];
  const values: Record<string, { S: string } | ReturnType<typeof toMap>> = {
    ":to": { S: to },
    ":now": { S: new Date().toISOString() },
  };
  if (changes.event_result) {
    sets.push("event_result = :result");
    values[":result"] = toMap(changes.event_result);
  }
  if (changes.last_error) {
    sets.push("last_error = :error");
    values[":error"] = { S: JSON.stringify(changes.last_error) };
  }
  if (changes.failed_from) {
    sets.push("failed_from = :from");
    values[":from"] = { S: changes.failed_from };
  }
  const expected = predecessorsOf(to).map((status, index) => {
    values[`:expected${index}`] = { S: status };
    return `:expected${index}`;
  });
  try {
    await dynamo.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: keyItem(key),
        UpdateExpression: `SET ${sets.join(", ")}`,
        ConditionExpression: `event_status IN (${expected.join(", ")})`,
        ExpressionAttributeValues: values,
      }),
    );
    return true;
  } catch (error) {
    if (isConditionFailed(error)) {
      return false;
    }
    throw error;
  }
}
