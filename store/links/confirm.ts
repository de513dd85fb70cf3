import type { TransactWriteItem } from "@aws-sdk/client-dynamodb";
import type { FileEvent } from "../../events/event";
import { reopenPeriod } from "../counts/marks";
import { isLate } from "../counts/periods";
import type { GuardedEventStore } from "../eventStore";
import { type PutOutcome, undeletedRow } from "../rows";
import { type Claim, PLACED } from "./claim";
import { linkKey } from "./link";
import type { LinkStore } from "./linkStore";
import { changingClaim } from "./places";
import { findClaim } from "./read";
import { transact } from "./transact";

/** How often a claim is read that others change meanwhile. */
const MAX_READS = 5;

/** A claim's file, as one that is stored. A place that was given back meanwhile is taken again, full or not. */
function confirming(store: LinkStore, claim: Claim, hasLink: boolean): TransactWriteItem[] {
  const changes = { open_until: null, completing_calls: null };
  const stored = { Update: changingClaim(store, claim, "stored", changes) };
  if (!hasLink) {
    return [stored];
  }
  const isPlaced = PLACED.includes(claim.state);
  return [
    stored,
    {
      Update: {
        TableName: store.linksTableName,
        Key: linkKey(claim.link_id),
        UpdateExpression: isPlaced ? "ADD #stored :one" : "ADD #stored :one, taken :one",
        ConditionExpression: "attribute_exists(link_id)",
        ExpressionAttributeNames: { "#stored": "stored" },
        ExpressionAttributeValues: { ":one": { N: "1" } },
      },
    },
  ];
}

/** The event with what its claim knows of the file: the bucket's event has no metadata and no type. */
function withClaim(event: FileEvent, { content_type, metadata }: Claim): FileEvent {
  const event_info = {
    ...event.event_info,
    ContentType: content_type,
    ...(metadata && { Metadata: metadata }),
  };
  return { ...event, event_info };
}

/**
 * Puts the event of a link's file, unless its row exists or it was deleted, and counts the file as stored: in
 * one transaction, so that every file counts once. Without a claim, which is rare, it is the row alone.
 *
 * @param by the Lambda that writes it, such as `record`
 */
export async function putLinkEvent(
  store: GuardedEventStore & LinkStore,
  event: FileEvent & { link_id: string },
  by: string,
): Promise<PutOutcome> {
  if (isLate(event)) {
    await reopenPeriod(store, event);
  }
  let hasLink = true;
  for (let reads = 1; ; reads += 1) {
    const claim = await findClaim(store, event.link_id, event.event_id);
    const isConfirmed = claim === undefined || claim.state === "stored";
    const refused = await transact(store, [
      ...undeletedRow(store, claim ? withClaim(event, claim) : event, by),
      ...(isConfirmed ? [] : confirming(store, claim, hasLink)),
    ]);
    if (refused === undefined) {
      return "written";
    }
    const [deleted, exists, , withoutLink] = refused;
    if (deleted === true) {
      return "deleted";
    }
    if (exists === true) {
      return "exists";
    }
    hasLink &&= withoutLink !== true;
    if (reads === MAX_READS) {
      throw new Error("The claim of the file changes all the time.");
    }
  }
}
