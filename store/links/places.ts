import type { TransactWriteItem } from "@aws-sdk/client-dynamodb";
import { type Claim, claimItem, claimKey, type ClaimState, OPEN_SECONDS } from "./claim";
import { linkKey } from "./link";
import type { LinkStore } from "./linkStore";
import { type FileTraits, repeatItem, repeatKey } from "./repeat";
import { transact } from "./transact";

/** Seconds by which a claim is held open for longer than promised, so that not each part writes. */
const MARGIN_SECONDS = 60;

/**
 * When a claim lapses whose part is signed now; ISO 8601.
 *
 * @param now milliseconds since 1970
 */
export function openUntil(now = Date.now()): string {
  return new Date(now + (OPEN_SECONDS + MARGIN_SECONDS) * 1000).toISOString();
}

/** Whether a claim stays open for as long as a part that is signed now is promised. */
export function isOpenLongEnough({ open_until }: Claim, now = Date.now()): boolean {
  return open_until !== undefined && Date.parse(open_until) >= now + OPEN_SECONDS * 1000;
}

/** Takes one of the link's places, if the link lets a file in. */
export function takingPlace({ linksTableName }: LinkStore, linkId: string): TransactWriteItem {
  return {
    Update: {
      TableName: linksTableName,
      Key: linkKey(linkId),
      UpdateExpression: "ADD taken :one",
      ConditionExpression:
        "attribute_exists(link_id) AND attribute_not_exists(revoked_at) AND expires_at > :now " +
        "AND (attribute_not_exists(max_files) OR taken < max_files)",
      ExpressionAttributeValues: {
        ":one": { N: "1" },
        ":now": { S: new Date().toISOString() },
      },
    },
  };
}

/** Gives places of a link back. */
export function givingBack(
  { linksTableName }: LinkStore,
  linkId: string,
  places: number,
): TransactWriteItem {
  return {
    Update: {
      TableName: linksTableName,
      Key: linkKey(linkId),
      UpdateExpression: "ADD taken :places",
      ConditionExpression: "attribute_exists(link_id)",
      ExpressionAttributeValues: { ":places": { N: String(-places) } },
    },
  };
}

/** What to do with an attribute of a claim: a text or number to set, or null to remove it. */
type Changes = Record<string, string | number | null>;

/** A change of a claim, if it is in the state that it was read in. */
export function changingClaim(
  { linksTableName }: LinkStore,
  claim: Claim,
  state: ClaimState,
  changes: Changes,
) {
  const names: Record<string, string> = { "#state": "state" };
  const values: Record<string, { S: string } | { N: string }> = {
    ":from": { S: claim.state },
    ":to": { S: state },
  };
  const set = ["#state = :to"];
  const remove: string[] = [];
  Object.entries(changes).forEach(([name, value], index) => {
    names[`#c${index}`] = name;
    if (value === null) {
      remove.push(`#c${index}`);
      return;
    }
    values[`:c${index}`] = typeof value === "number" ? { N: String(value) } : { S: value };
    set.push(`#c${index} = :c${index}`);
  });
  return {
    TableName: linksTableName,
    Key: claimKey(claim.link_id, claim.event_id),
    UpdateExpression:
      `SET ${set.join(", ")}` + (remove.length > 0 ? ` REMOVE ${remove.join(", ")}` : ""),
    ConditionExpression: "#state = :from",
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}

/** What became of a claim. `used_up` also stands for a link that has expired or was revoked meanwhile. */
export type Taken = "taken" | "used_up" | "repeated";

/**
 * Takes a place for a new file, and keeps its claim: both or none.
 *
 * @param repeat what finds the claim for a repeated request; `replaces` is the event that it found before,
 *   whose claim is of no use any more
 * @returns `repeated`: another request for the same file was first
 */
export async function takeClaim(
  store: LinkStore,
  claim: Claim,
  repeat?: { traits: FileTraits; replaces?: string },
): Promise<Taken> {
  const TableName = store.linksTableName;
  const now = Math.floor(Date.now() / 1000);
  const items: TransactWriteItem[] = [
    takingPlace(store, claim.link_id),
    {
      Put: {
        TableName,
        Item: claimItem(claim),
        ConditionExpression: "attribute_not_exists(link_id)",
      },
    },
  ];
  if (repeat) {
    items.push({
      Put: {
        TableName,
        Item: repeatItem(repeatKey(claim.link_id, repeat.traits), claim.event_id, now),
        ConditionExpression:
          "attribute_not_exists(link_id) OR removed_at <= :now OR event_id = :replaced",
        ExpressionAttributeValues: {
          ":now": { N: String(now) },
          ":replaced": { S: repeat.replaces ?? "" },
        },
      },
    });
  }
  const refused = await transact(store, items);
  if (refused === undefined) {
    return "taken";
  }
  return refused[2] === true ? "repeated" : "used_up";
}

/**
 * Takes a place again for a claim that has lapsed.
 *
 * @returns `repeated`: the claim has not lapsed any more
 */
export async function retakePlace(
  store: LinkStore,
  claim: Claim,
  state: "open" | "completing",
  changes: Changes = {},
): Promise<Taken> {
  const refused = await transact(store, [
    takingPlace(store, claim.link_id),
    { Update: changingClaim(store, claim, state, { open_until: openUntil(), ...changes }) },
  ]);
  if (refused === undefined) {
    return "taken";
  }
  return refused[1] === true ? "repeated" : "used_up";
}
