import type { EventKey } from "../../events/event";
import type { Item } from "../../events/item";
import { fromTexts, numberIn, toTexts } from "./link";

/**
 * How far a claim's upload is. `open`, `completing` and `stored` take one of the link's places; `lapsed` and
 * `aborted` have given it back.
 */
export type ClaimState = "open" | "completing" | "stored" | "lapsed" | "aborted";

/** The states in which a claim has a place. */
export const PLACED: readonly ClaimState[] = ["open", "completing", "stored"];

/** One file of an upload link: what its row will tell, and whether it has one of the link's places. */
export interface Claim extends EventKey {
  link_id: string;
  /** Key of the object. */
  object_key: string;
  /** Of S3's multipart upload. */
  upload_id: string;
  /** As the object's key ends. */
  file_name: string;
  content_type: string;
  /** Bytes; absent: the client has not told. */
  size?: number;
  /** Bytes of each part but the last one; with `size`. */
  part_size?: number;
  state: ClaimState;
  /** Digest of the parts that complete the upload; from `completing` on. */
  parts_digest?: string;
  /** Requests that complete it and have not been refused; in `completing`. */
  completing_calls?: number;
  /** Of the link. */
  metadata?: Record<string, string>;
  /** ISO 8601, UTC, milliseconds. */
  created_at: string;
  /** When it lapses without a file; ISO 8601. Only in the states that can. */
  open_until?: string;
}

/** Seconds without a signed part after which a claim gives its place back. */
export const OPEN_SECONDS = 15 * 60;

/**
 * Seconds for which a claim's row is kept: 60 days. Its link lives for at most 30 of them, and so does its
 * multipart upload. An event of its object can come 14 days and 6 hours later, from the dead-letter queue.
 */
const KEPT_SECONDS = 60 * 24 * 60 * 60;

/** The claim's key in DynamoDB's JSON. */
export function claimKey(linkId: string, eventId: string) {
  return { link_id: { S: linkId }, item: { S: `claim#${eventId}` } };
}

/** The row of a claim. DynamoDB deletes it after 60 days. */
export function claimItem(claim: Claim) {
  const { size, part_size, parts_digest, completing_calls, metadata, open_until } = claim;
  return {
    ...claimKey(claim.link_id, claim.event_id),
    event_id: { S: claim.event_id },
    event_timestamp: { S: claim.event_timestamp },
    object_key: { S: claim.object_key },
    upload_id: { S: claim.upload_id },
    file_name: { S: claim.file_name },
    content_type: { S: claim.content_type },
    ...(size !== undefined && { size: { N: String(size) } }),
    ...(part_size !== undefined && { part_size: { N: String(part_size) } }),
    state: { S: claim.state },
    ...(parts_digest !== undefined && { parts_digest: { S: parts_digest } }),
    ...(completing_calls !== undefined && { completing_calls: { N: String(completing_calls) } }),
    ...(metadata && { metadata: toTexts(metadata) }),
    created_at: { S: claim.created_at },
    ...(open_until !== undefined && { open_until: { S: open_until } }),
    removed_at: { N: String(Math.ceil(Date.parse(claim.created_at) / 1000) + KEPT_SECONDS) },
  };
}

/** @param item as `claimItem` makes it */
export function fromClaimItem(item: Item): Claim {
  const size = numberIn(item.size);
  const part_size = numberIn(item.part_size);
  const completing_calls = numberIn(item.completing_calls);
  const metadata = fromTexts(item.metadata);
  return {
    link_id: item.link_id?.S ?? "",
    event_id: item.event_id?.S ?? "",
    event_timestamp: item.event_timestamp?.S ?? "",
    object_key: item.object_key?.S ?? "",
    upload_id: item.upload_id?.S ?? "",
    file_name: item.file_name?.S ?? "",
    content_type: item.content_type?.S ?? "",
    ...(size !== undefined && { size }),
    ...(part_size !== undefined && { part_size }),
    state: (item.state?.S ?? "lapsed") as ClaimState,
    ...(item.parts_digest?.S !== undefined && { parts_digest: item.parts_digest.S }),
    ...(completing_calls !== undefined && { completing_calls }),
    ...(metadata && { metadata }),
    created_at: item.created_at?.S ?? "",
    ...(item.open_until?.S !== undefined && { open_until: item.open_until.S }),
  };
}
