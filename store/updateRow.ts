import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { EventKey, EventStatus } from "../events/event";
import { keyItem, type toHistoryList, type toMap } from "../events/item";
import { statusAttributes } from "../events/partitions";
import { unlessConditionFailed } from "../runtime/awsErrors";
import type { EventStore } from "./eventStore";

type Value =
  | { S: string }
  | { N: string }
  | { BOOL: boolean }
  | ReturnType<typeof toMap>
  | ReturnType<typeof toHistoryList>;

/** A conditional write to a row. */
export interface RowUpdate {
  /** The new status; undefined: the status stays. */
  status?: EventStatus;
  /** Without the status, which has more than one attribute. May be empty where `remove` is not. */
  set: Record<string, Value> & { event_status?: never; status_shard?: never };
  remove?: string[];
  /** For each attribute, the allowed values; an empty array: the attribute must not exist. */
  expect: Record<string, Value[]>;
}

/**
 * Updates a row, if it is as expected.
 *
 * @returns whether this call updated it; false: another writer was first
 */
export function updateRow(
  { dynamo, tableName, statusShards }: EventStore,
  key: EventKey,
  { status, set, remove = [], expect }: RowUpdate,
): Promise<boolean> {
  const values: Record<string, Value> = {};
  const placeholder = (value: Value) => {
    const name = `:v${Object.keys(values).length}`;
    values[name] = value;
    return name;
  };
  const ofStatus = status && statusAttributes(key.event_id, status, statusShards);
  const sets = Object.entries<Value>({ ...ofStatus, ...set }).map(
    ([name, value]) => `${name} = ${placeholder(value)}`,
  );
  const conditions = Object.entries(expect).map(([name, allowed]) =>
    allowed.length === 0
      ? `attribute_not_exists(${name})`
      : `${name} IN (${allowed.map(placeholder).join(", ")})`,
  );
  const clauses = [
    ...(sets.length > 0 ? [`SET ${sets.join(", ")}`] : []),
    ...(remove.length > 0 ? [`REMOVE ${remove.join(", ")}`] : []),
  ];
  return unlessConditionFailed(
    dynamo.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: keyItem(key),
        UpdateExpression: clauses.join(" "),
        ConditionExpression: conditions.join(" AND "),
        ExpressionAttributeValues: values,
      }),
    ),
  );
}
