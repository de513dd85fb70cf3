import { type DynamoDBClient, QueryCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { Item } from "../../events/item";
import { unlessConditionFailed } from "../../runtime/awsErrors";
import type { TimeRange } from "../timeRange";

/**
 * The table of counts (hash key `kind`, range key `period`). Its items, by kind:
 * - `sealed`: the counts of a finished period that has no unfinished event;
 * - `day`: the sums of a day's sealed periods;
 * - `mark`: a period whose sealed counts, and those of its day, must not be used;
 * - `watermark` (one item): every period up to it is sealed, marked, or empty;
 * - `listing` (one item): the key up to which the bucket was searched for uploads without a row;
 * - `redelivery`: how many redelivered events are outstanding (see `store/redelivery/`), by ledger;
 * - `cursor`: where a run of the sweeper ended, by partition of the index.
 */
export interface CountsTable {
  dynamo: DynamoDBClient;
  countsTableName: string;
}

export type CountsKind =
  "sealed" | "day" | "mark" | "watermark" | "listing" | "redelivery" | "cursor";

/** The period in the key of the kinds that have one item. */
export const NO_PERIOD = "-";

/** The key of an item, in DynamoDB's JSON. */
export function countsKey(kind: CountsKind, period: string) {
  return { kind: { S: kind }, period: { S: period } };
}

/** All items of a kind in a range of periods, in order. */
export async function readItems(
  { dynamo, countsTableName }: CountsTable,
  kind: CountsKind,
  { from, to }: TimeRange,
): Promise<Item[]> {
  const items: Item[] = [];
  let next: Record<string, { S: string }> | undefined;
  do {
    const page = await dynamo.send(
      new QueryCommand({
        TableName: countsTableName,
        KeyConditionExpression: "kind = :kind AND #period BETWEEN :from AND :to",
        ExpressionAttributeNames: { "#period": "period" },
        ExpressionAttributeValues: { ":kind": { S: kind }, ":from": { S: from }, ":to": { S: to } },
        ConsistentRead: true,
        ExclusiveStartKey: next,
      }),
    );
    items.push(...((page.Items ?? []) as Item[]));
    next = page.LastEvaluatedKey as typeof next;
  } while (next);
  return items;
}

/** A conditional update, in DynamoDB's expressions. */
export interface CountsUpdate {
  update: string;
  condition: string;
  /** By name, without the colon. */
  values: Record<string, { S: string } | { N: string }>;
}

/** @returns whether the condition held and the item was written */
export function updateItem(
  { dynamo, countsTableName }: CountsTable,
  key: ReturnType<typeof countsKey>,
  { update, condition, values }: CountsUpdate,
): Promise<boolean> {
  const named = Object.entries(values).map(([name, value]) => [`:${name}`, value] as const);
  return unlessConditionFailed(
    dynamo.send(
      new UpdateItemCommand({
        TableName: countsTableName,
        Key: key,
        UpdateExpression: update,
        ConditionExpression: condition,
        ExpressionAttributeValues: Object.fromEntries(named),
      }),
    ),
  );
}
