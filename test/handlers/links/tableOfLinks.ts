import {
  GetItemCommand,
  ListTablesCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { Item } from "../../../events/item";
import { type Claim, claimKey, fromClaimItem } from "../../../store/links/claim";
import { fromLinkItem, linkKey, type UploadLink } from "../../../store/links/link";
import type { Program } from "../../../testing/startProgram";

/** What the operator reads and changes in a program's table of links. */
export interface TableOfLinks {
  link(linkId: string): Promise<UploadLink>;
  claims(linkId: string): Promise<Claim[]>;
  /** Lets an hour pass for a link. */
  expire(linkId: string): Promise<void>;
  /** Lets 15 minutes without a part pass for a claim. */
  runOut(linkId: string, eventId: string): Promise<void>;
}

export async function openTableOfLinks({ dynamo }: Pick<Program, "dynamo">): Promise<TableOfLinks> {
  const { TableNames: names = [] } = await dynamo.send(new ListTablesCommand({}));
  const TableName = names.find((name) => name.startsWith("links-"));
  const get = async (Key: ReturnType<typeof linkKey>) => {
    const { Item: item } = await dynamo.send(
      new GetItemCommand({ TableName, Key, ConsistentRead: true }),
    );
    return item as Item;
  };
  const set = async (Key: ReturnType<typeof linkKey>, attribute: string) => {
    await dynamo.send(
      new UpdateItemCommand({
        TableName,
        Key,
        UpdateExpression: "SET #attribute = :past",
        ConditionExpression: "attribute_exists(#attribute)",
        ExpressionAttributeNames: { "#attribute": attribute },
        ExpressionAttributeValues: { ":past": { S: "2026-01-01T00:00:00.000Z" } },
      }),
    );
  };
  return {
    link: async (linkId) => fromLinkItem(await get(linkKey(linkId))),
    async claims(linkId) {
      const { Items: items = [] } = await dynamo.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: "link_id = :link AND begins_with(#item, :claim)",
          ExpressionAttributeNames: { "#item": "item" },
          ExpressionAttributeValues: { ":link": { S: linkId }, ":claim": { S: "claim#" } },
          ConsistentRead: true,
        }),
      );
      return items.map((item) => fromClaimItem(item as Item));
    },
    expire: (linkId) => set(linkKey(linkId), "expires_at"),
    runOut: (linkId, eventId) => set(claimKey(linkId, eventId), "open_until"),
  };
}
