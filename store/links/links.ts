import { PutItemCommand, QueryCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { Item } from "../../events/item";
import { unlessConditionFailed } from "../../runtime/awsErrors";
import { fromLinkItem, linkItem, linkKey, LISTED, type UploadLink } from "./link";
import type { LinkStore } from "./linkStore";
import { findLink } from "./read";
import { unlessRefused } from "./transact";

/**
 * The id of a new link, from a new upload's id, which is as unique: the same UUID, of version 7.
 *
 * @param eventId a UUID v8
 */
export function linkIdOf(eventId: string): string {
  return `${eventId.slice(0, 14)}7${eventId.slice(15)}`;
}

/**
 * Puts a new link, unless there is one with its id.
 *
 * @returns the link that is there now, and whether this call has put it
 */
export async function createLink(
  store: LinkStore,
  link: UploadLink,
): Promise<{ link: UploadLink; isNew: boolean }> {
  const isNew = await unlessConditionFailed(
    store.dynamo.send(
      new PutItemCommand({
        TableName: store.linksTableName,
        Item: linkItem(link),
        ConditionExpression: "attribute_not_exists(link_id)",
      }),
    ),
  );
  return { link: isNew ? link : ((await findLink(store, link.link_id)) ?? link), isNew };
}

/**
 * Links, newest first; eventually consistent.
 *
 * @param limit most links; at least 1
 * @param after `next` of the page before
 * @returns `next`: the id of the last link; absent: this is the last page
 */
export async function linkPage(
  { dynamo, linksTableName }: LinkStore,
  limit: number,
  after?: string,
): Promise<{ links: UploadLink[]; next?: string }> {
  const items: Item[] = [];
  let next: Item | undefined;
  do {
    const page = await dynamo.send(
      new QueryCommand({
        TableName: linksTableName,
        IndexName: "listed-index",
        KeyConditionExpression: "listed = :listed" + (after ? " AND link_id < :after" : ""),
        ExpressionAttributeValues: {
          ":listed": { S: LISTED },
          ...(after && { ":after": { S: after } }),
        },
        ScanIndexForward: false,
        // One more: whether another page follows.
        Limit: limit + 1 - items.length,
        ExclusiveStartKey: next as Record<string, { S: string }> | undefined,
      }),
    );
    items.push(...((page.Items ?? []) as Item[]));
    next = page.LastEvaluatedKey;
  } while (next && items.length <= limit);
  const links = items.slice(0, limit).map(fromLinkItem);
  return { links, ...(items.length > limit && { next: links.at(-1)?.link_id }) };
}

/**
 * Revokes a link.
 *
 * @returns false: it was revoked before, or there is none
 */
export async function revoke(
  { dynamo, linksTableName }: LinkStore,
  linkId: string,
): Promise<boolean> {
  return unlessRefused(() =>
    dynamo.send(
      new UpdateItemCommand({
        TableName: linksTableName,
        Key: linkKey(linkId),
        UpdateExpression: "SET revoked_at = :now",
        ConditionExpression: "attribute_exists(link_id) AND attribute_not_exists(revoked_at)",
        ExpressionAttributeValues: { ":now": { S: new Date().toISOString() } },
      }),
    ),
  );
}
