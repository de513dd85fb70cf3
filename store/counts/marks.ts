import { DeleteItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { EventKey } from "../../events/event";
import { unlessConditionFailed } from "../../runtime/awsErrors";
import { BEGINNING, END } from "../timeRange";
import { countsKey, type CountsTable, readItems, updateItem } from "./countsTable";
import { periodOf } from "./periods";

/** A period that must be counted again. */
export interface Mark {
  period: string;
  /** ISO 8601. From then on, the sealed counts may be outdated. */
  marked_at: string;
  /** ISO 8601. When the period was found without unfinished events; absent: not found yet. */
  clear_at?: string;
}

/** All marks, oldest period first. */
export async function readMarks(table: CountsTable): Promise<Mark[]> {
  const items = await readItems(table, "mark", { from: BEGINNING, to: END });
  return items.map((item) => ({
    period: item.period?.S ?? "",
    marked_at: item.marked_at?.S ?? "",
    clear_at: item.clear_at?.S,
  }));
}

/** Writes a mark, unless the period has one. */
export function addMark(
  table: CountsTable,
  { period, marked_at, clear_at }: Mark,
): Promise<boolean> {
  return updateItem(table, countsKey("mark", period), {
    update: `SET marked_at = :marked_at${clear_at === undefined ? "" : ", clear_at = :clear_at"}`,
    condition: "attribute_not_exists(kind)",
    values: {
      marked_at: { S: marked_at },
      ...(clear_at !== undefined && { clear_at: { S: clear_at } }),
    },
  });
}

/**
 * Marks the event's period, renewing its mark if there is one. Must come before the change of the
 * event: sealing waits until a mark is older than any change that it may announce.
 */
export async function reopenPeriod(
  { dynamo, countsTableName }: CountsTable,
  event: Pick<EventKey, "event_timestamp">,
): Promise<void> {
  await dynamo.send(
    new UpdateItemCommand({
      TableName: countsTableName,
      Key: countsKey("mark", periodOf(event)),
      // The change may make the period's events unfinished again.
      UpdateExpression: "SET marked_at = :now REMOVE clear_at",
      ExpressionAttributeValues: { ":now": { S: new Date(Date.now()).toISOString() } },
    }),
  );
}

/** Records that the period has no unfinished events, unless the mark was renewed or has `clear_at`. */
export function setClear(
  table: CountsTable,
  { period, marked_at }: Mark,
  clearAt: string,
): Promise<boolean> {
  return updateItem(table, countsKey("mark", period), {
    update: "SET clear_at = :clear_at",
    condition: "marked_at = :marked_at AND attribute_not_exists(clear_at)",
    values: { clear_at: { S: clearAt }, marked_at: { S: marked_at } },
  });
}

/** Removes `clear_at`: the period has unfinished events again. */
export function unsetClear(table: CountsTable, { period, marked_at }: Mark): Promise<boolean> {
  return updateItem(table, countsKey("mark", period), {
    update: "REMOVE clear_at",
    condition: "marked_at = :marked_at",
    values: { marked_at: { S: marked_at } },
  });
}

/** Deletes a mark, unless it has changed since it was read. */
export function removeMark(
  { dynamo, countsTableName }: CountsTable,
  { period, marked_at, clear_at = "" }: Mark,
): Promise<boolean> {
  return unlessConditionFailed(
    dynamo.send(
      new DeleteItemCommand({
        TableName: countsTableName,
        Key: countsKey("mark", period),
        ConditionExpression: "marked_at = :marked_at AND clear_at = :clear_at",
        ExpressionAttributeValues: { ":marked_at": { S: marked_at }, ":clear_at": { S: clear_at } },
      }),
    ),
  );
}
