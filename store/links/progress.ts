import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { type Claim, claimKey } from "./claim";
import type { LinkStore } from "./linkStore";
import { changingClaim, isOpenLongEnough, openUntil, retakePlace, type Taken } from "./places";
import { unlessRefused } from "./transact";

/**
 * Holds a claim's place for another 15 minutes. One that has lapsed takes a place again.
 *
 * @param claim `open` or `lapsed`
 * @returns `repeated`: the claim has changed since it was read
 */
export async function holdOpen(store: LinkStore, claim: Claim): Promise<Taken> {
  if (claim.state === "lapsed") {
    return retakePlace(store, claim, "open");
  }
  if (isOpenLongEnough(claim)) {
    return "taken";
  }
  const update = changingClaim(store, claim, "open", { open_until: openUntil() });
  const held = await unlessRefused(() => store.dynamo.send(new UpdateItemCommand(update)));
  return held ? "taken" : "repeated";
}

/**
 * Records that an upload is being completed of these parts, before S3 does it. From then on nobody aborts
 * it, and no other parts complete it.
 *
 * @param claim `open`, `lapsed`, or `completing` of the same parts
 * @returns `repeated`: the claim has changed since it was read
 */
export async function beginCompleting(
  store: LinkStore,
  claim: Claim,
  digest: string,
): Promise<Taken> {
  const changes = { parts_digest: digest, completing_calls: 1, open_until: openUntil() };
  if (claim.state === "lapsed") {
    return retakePlace(store, claim, "completing", changes);
  }
  const update =
    claim.state === "open"
      ? changingClaim(store, claim, "completing", changes)
      : {
          TableName: store.linksTableName,
          Key: claimKey(claim.link_id, claim.event_id),
          UpdateExpression: "SET open_until = :until ADD completing_calls :one",
          ConditionExpression: "#state = :completing AND parts_digest = :digest",
          ExpressionAttributeNames: { "#state": "state" },
          ExpressionAttributeValues: {
            ":one": { N: "1" },
            ":until": { S: openUntil() },
            ":completing": { S: "completing" },
            ":digest": { S: digest },
          },
        };
  const begun = await unlessRefused(() => store.dynamo.send(new UpdateItemCommand(update)));
  return begun ? "taken" : "repeated";
}

/**
 * Whether whoever has begun to complete an upload has ended since, one way or the other: its Lambda may have
 * died on the way. A request that completes it lasts for half a minute at most.
 */
export function isLeftCompleting(claim: Claim): boolean {
  return claim.state === "completing" && !isOpenLongEnough(claim);
}

/**
 * Opens the claim of an upload again that was left completing, and whose parts S3 still has.
 *
 * @returns the claim as it is then; undefined: it has changed since it was read
 */
export async function reopen(store: LinkStore, claim: Claim): Promise<Claim | undefined> {
  const open_until = openUntil();
  const update = changingClaim(store, claim, "open", {
    open_until,
    parts_digest: null,
    completing_calls: null,
  });
  const { open_until: until } = claim;
  const unchanged =
    until === undefined ? "attribute_not_exists(open_until)" : "open_until = :until";
  const isReopened = await unlessRefused(() =>
    store.dynamo.send(
      new UpdateItemCommand({
        ...update,
        ConditionExpression: `${update.ConditionExpression} AND ${unchanged}`,
        ExpressionAttributeValues: {
          ...update.ExpressionAttributeValues,
          ...(until !== undefined && { ":until": { S: until } }),
        },
      }),
    ),
  );
  const ended = { parts_digest: undefined, completing_calls: undefined };
  return isReopened ? { ...claim, ...ended, state: "open", open_until } : undefined;
}

/**
 * Takes back `beginCompleting`, after S3 has refused the parts for good: others may follow. While another
 * request completes the upload of the same parts, it is left to that one.
 */
export async function stopCompleting(
  { dynamo, linksTableName }: LinkStore,
  claim: Claim,
  digest: string,
): Promise<void> {
  const change = (
    UpdateExpression: string,
    calls: string,
    values: Record<string, { S: string } | { N: string }>,
  ) =>
    unlessRefused(() =>
      dynamo.send(
        new UpdateItemCommand({
          TableName: linksTableName,
          Key: claimKey(claim.link_id, claim.event_id),
          UpdateExpression,
          ConditionExpression: `#state = :completing AND parts_digest = :digest AND ${calls}`,
          ExpressionAttributeNames: { "#state": "state" },
          ExpressionAttributeValues: {
            ":completing": { S: "completing" },
            ":digest": { S: digest },
            ":one": { N: "1" },
            ...values,
          },
        }),
      ),
    );
  const reopen = () =>
    change("SET #state = :open REMOVE parts_digest, completing_calls", "completing_calls = :one", {
      ":open": { S: "open" },
    });
  const leave = () =>
    change("ADD completing_calls :less", "completing_calls > :one", { ":less": { N: "-1" } });
  // The other request may end in between.
  for (const step of [reopen, leave, reopen]) {
    if (await step()) {
      return;
    }
  }
}
