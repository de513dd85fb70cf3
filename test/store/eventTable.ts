import type { DynamoDbEngine, TableDefinition } from "local-aws";
import { partitionKey } from "../../events/partitions";

export const REGION = "eu-west-1";
export const ACCOUNT = "123456789012";

/**
 * The event table's definition for a DynamoDB in memory, without its stream.
 *
 * @param statusShards partitions of the index for each status
 */
export function eventTable(statusShards: number): TableDefinition {
  const hashKey = partitionKey(statusShards);
  const timeOrdered = { rangeKey: "event_timestamp", projectionType: "ALL" };
  return {
    tableName: "events",
    hashKey: "event_id",
    rangeKey: "event_timestamp",
    attributes: ["event_id", "event_timestamp", hashKey, "link_id"].map((name) => ({
      name,
      type: "S",
    })),
    globalSecondaryIndexes: [
      { name: "time-index", hashKey, ...timeOrdered },
      { name: "link-index", hashKey: "link_id", ...timeOrdered },
    ],
  };
}

/** Calls an operation of a DynamoDB in memory, as the SDK would. */
export async function call(
  db: Pick<DynamoDbEngine, "handle">,
  operation: string,
  input: unknown,
): Promise<{ status: number; answer: Record<string, unknown> }> {
  const { status, body } = await db.handle({
    method: "POST",
    url: "/",
    headers: { "x-amz-target": `DynamoDB_20120810.${operation}` },
    body: Buffer.from(JSON.stringify(input)),
  });
  return { status, answer: JSON.parse(body.toString()) as Record<string, unknown> };
}
