import { GetItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import type { Item } from "../../events/item";
import { type Claim, claimKey, fromClaimItem } from "./claim";
import { fromLinkItem, linkKey, type UploadLink } from "./link";
import type { LinkStore } from "./linkStore";
import { type FileTraits, fromRepeatItem, type Repeat, repeatKey } from "./repeat";

async function read(
  { dynamo, linksTableName }: LinkStore,
  key: { link_id: { S: string }; item: { S: string } },
): Promise<Item | undefined> {
  const { Item: item } = await dynamo.send(
    new GetItemCommand({ TableName: linksTableName, Key: key, ConsistentRead: true }),
  );
  return item;
}

/** The link with this id; undefined: there is none, or it expired 90 days ago. Reads consistently. */
export async function findLink(store: LinkStore, linkId: string): Promise<UploadLink | undefined> {
  const item = await read(store, linkKey(linkId));
  return item && fromLinkItem(item);
}

/** The claim of an event; undefined: there is none, or it is 60 days old. Reads consistently. */
export async function findClaim(
  store: LinkStore,
  linkId: string,
  eventId: string,
): Promise<Claim | undefined> {
  const item = await read(store, claimKey(linkId, eventId));
  return item && fromClaimItem(item);
}

/** The claim that a file got within the hour; undefined: none. Reads consistently. */
export async function findRepeat(
  store: LinkStore,
  linkId: string,
  traits: FileTraits,
): Promise<Repeat | undefined> {
  const item = await read(store, repeatKey(linkId, traits));
  const repeat = item && fromRepeatItem(item);
  // DynamoDB deletes expired items days late.
  return repeat && repeat.removed_at > Date.now() / 1000 ? repeat : undefined;
}

/**
 * Claims that have lapsed, or are about to be found so, the oldest first.
 *
 * @param limit most claims
 */
export async function findLapsed(
  { dynamo, linksTableName }: LinkStore,
  linkId: string,
  limit: number,
): Promise<Claim[]> {
  const { Items: items = [] } = await dynamo.send(
    new QueryCommand({
      TableName: linksTableName,
      IndexName: "open-index",
      KeyConditionExpression: "link_id = :link AND open_until < :now",
      ExpressionAttributeValues: {
        ":link": { S: linkId },
        ":now": { S: new Date().toISOString() },
      },
      Limit: limit,
    }),
  );
  return items.map(fromClaimItem);
}
