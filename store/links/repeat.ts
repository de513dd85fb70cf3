import { createHash } from "node:crypto";
import type { Item } from "../../events/item";
import { numberIn } from "./link";

/** Seconds for which a repeated request gets the claim of the first one. */
export const REPEAT_SECONDS = 60 * 60;

/** What tells a file from others, as far as its sender knows. */
export interface FileTraits {
  /** As given. */
  name: string;
  /** Bytes. */
  size: number;
  /** As given. */
  lastModified: string;
  /** As stored. */
  type: string;
}

/** Which claim a repeated request gets. */
export interface Repeat {
  event_id: string;
  /** Seconds since 1970. */
  removed_at: number;
}

/** The key of the item that finds the claim of a file, in DynamoDB's JSON. */
export function repeatKey(linkId: string, { name, size, lastModified, type }: FileTraits) {
  const digest = createHash("sha256")
    .update(JSON.stringify([name, size, lastModified, type]))
    .digest("hex");
  return { link_id: { S: linkId }, item: { S: `repeat#${digest}` } };
}

/** @param now seconds since 1970 */
export function repeatItem(key: ReturnType<typeof repeatKey>, event_id: string, now: number) {
  return {
    ...key,
    event_id: { S: event_id },
    removed_at: { N: String(now + REPEAT_SECONDS) },
  };
}

export function fromRepeatItem(item: Item): Repeat {
  return { event_id: item.event_id?.S ?? "", removed_at: numberIn(item.removed_at) ?? 0 };
}
