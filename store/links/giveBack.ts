import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { Claim } from "./claim";
import type { LinkStore } from "./linkStore";
import { changingClaim, givingBack } from "./places";
import { findLapsed } from "./read";
import { transact, unlessRefused } from "./transact";

/** Claims in one transaction: fewer than DynamoDB's 100, as one of them that has changed repeats it. */
const BATCH = 25;

/** What a claim has only while its upload is open. */
const NOT_OPEN = { open_until: null, parts_digest: null, completing_calls: null };

/**
 * Whether S3 still has the parts of an upload, so that it was not completed.
 */
export type IsUnfinished = (claim: Claim) => Promise<boolean>;

/** A change of a claim that has lapsed and still is as it was read. */
function lapsing(store: LinkStore, claim: Claim) {
  const update = changingClaim(store, claim, "lapsed", NOT_OPEN);
  return {
    ...update,
    ConditionExpression: `${update.ConditionExpression} AND open_until = :until`,
    ExpressionAttributeValues: {
      ...update.ExpressionAttributeValues,
      ":until": { S: claim.open_until ?? "" },
    },
  };
}

/** @returns how many places were given back: those of claims that have not changed since they were read */
async function lapse(store: LinkStore, linkId: string, claims: Claim[]): Promise<number> {
  if (claims.length === 0) {
    return 0;
  }
  const refused = await transact(store, [
    givingBack(store, linkId, claims.length),
    ...claims.map((claim) => ({ Update: lapsing(store, claim) })),
  ]);
  if (refused === undefined) {
    return claims.length;
  }
  const [withoutLink, ...changed] = refused;
  return withoutLink
    ? 0
    : lapse(
        store,
        linkId,
        claims.filter((_, index) => !changed[index]),
      );
}

/** A claim whose file is in S3 lapses no more; its row is on its way. */
async function keep(store: LinkStore, claim: Claim): Promise<void> {
  const update = changingClaim(store, claim, "completing", { open_until: null });
  await unlessRefused(() => store.dynamo.send(new UpdateItemCommand(update)));
}

/**
 * Gives back the places of claims without a signed part for 15 minutes. Their uploads stay in S3: one that
 * goes on later takes a place again.
 *
 * @param isUnfinished decides on claims in `completing`: a request that began to complete such an upload may
 *   have ended before S3 did it, or after
 * @returns how many places it has given back
 */
export async function giveBackLapsed(
  store: LinkStore,
  linkId: string,
  isUnfinished: IsUnfinished,
): Promise<number> {
  let places = 0;
  let lapsed: Claim[];
  do {
    lapsed = await findLapsed(store, linkId, BATCH);
    const unfinished: Claim[] = [];
    for (const claim of lapsed) {
      if (claim.state === "open" || (claim.state === "completing" && (await isUnfinished(claim)))) {
        unfinished.push(claim);
      } else if (claim.state === "completing") {
        await keep(store, claim);
      }
    }
    const given = await lapse(store, linkId, unfinished);
    places += given;
    // The index follows the table: what it still shows was just changed.
    if (given === 0) {
      break;
    }
  } while (lapsed.length === BATCH);
  return places;
}

/**
 * Gives up a claim for good, and its place. Its upload can be aborted then.
 *
 * @returns false: the claim has changed since it was read
 */
export async function abandonClaim(store: LinkStore, claim: Claim): Promise<boolean> {
  const update = changingClaim(store, claim, "aborted", NOT_OPEN);
  if (claim.state === "lapsed") {
    return unlessRefused(() => store.dynamo.send(new UpdateItemCommand(update)));
  }
  const refused = await transact(store, [{ Update: update }, givingBack(store, claim.link_id, 1)]);
  // A link's row is removed later than any claim of it.
  return refused?.[0] !== true;
}
