import { type DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { EventKey } from "../events/event";

/**
 * Events are counted by periods of ten minutes: what their `event_timestamp`s begin with, such as
 * `2026-11-21T20:1`.
 */
const PERIOD_LENGTH = 15;

/** From this age on, in milliseconds, an event belongs to a period that may have been counted. */
const LATE_MS = 60_000;

/** The period of an event, as the table of counts names it. */
export function periodOf({ event_timestamp }: Pick<EventKey, "event_timestamp">): string {
  return event_timestamp.slice(0, PERIOD_LENGTH);
}

/** Whether the event's period may have been counted already. */
export function isLate({ event_timestamp }: Pick<EventKey, "event_timestamp">): boolean {
  return Date.parse(event_timestamp) < Date.now() - LATE_MS;
}

/**
 * Marks the event's period as one to be counted anew. It comes before the change itself: whoever
 * counts waits until a mark is older than any change that it may stand for.
 */
export async function reopenPeriod(
  { dynamo, countsTableName }: { dynamo: DynamoDBClient; countsTableName: string },
  event: Pick<EventKey, "event_timestamp">,
): Promise<void> {
  await dynamo.send(
    new UpdateItemCommand({
      TableName: countsTableName,
      Key: { kind: { S: "mark" }, period: { S: periodOf(event) } },
      // What was seen of the period before says nothing about it after the change.
      UpdateExpression: "SET marked_at = :now REMOVE clear_at",
      ExpressionAttributeValues: { ":now": { S: new Date(Date.now()).toISOString() } },
    }),
  );
}
