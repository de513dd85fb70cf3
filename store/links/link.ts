import type { AttributeValue, Item } from "../../events/item";

/** An upload link: one row of the table of links. */
export interface UploadLink {
  /** UUID v7. */
  link_id: string;
  /** ISO 8601, UTC, milliseconds; as all times of a link. */
  created_at: string;
  expires_at: string;
  /** Most files that it takes; absent: any number. */
  max_files?: number;
  /** Largest size of a file, in bytes; absent: S3's own limit. */
  max_bytes?: number;
  /** Media types as patterns such as `image/*`, in lower case; absent: those of the stack. */
  content_types?: string[];
  /** What each of its files' rows tells besides. */
  metadata?: Record<string, string>;
  /** For the people who are sent the link. */
  note?: string;
  revoked_at?: string;
  /** Places in use: claims that are open, completing or stored. */
  taken: number;
  /** Files whose row is written. */
  stored: number;
}

/** What a link lets in. */
export type LinkStatus = "open" | "expired" | "revoked" | "used_up";

/** The item of the link itself, beside its claims. */
export const LINK_ITEM = "link";

/** The hash key of `listed-index`, by which the links are listed. */
export const LISTED = "link";

/** Seconds for which a link's row is kept after the link has expired: 90 days. */
const KEPT_SECONDS = 90 * 24 * 60 * 60;

/** The link's key in DynamoDB's JSON. */
export function linkKey(linkId: string) {
  return { link_id: { S: linkId }, item: { S: LINK_ITEM } };
}

/** @param now milliseconds since 1970 */
export function linkStatus(link: UploadLink, now = Date.now()): LinkStatus {
  if (link.revoked_at !== undefined) {
    return "revoked";
  }
  if (Date.parse(link.expires_at) <= now) {
    return "expired";
  }
  return link.max_files !== undefined && link.taken >= link.max_files ? "used_up" : "open";
}

/** Texts by name, as a map attribute. */
export function toTexts(texts: Record<string, string>) {
  return {
    M: Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, { S: value }])),
  };
}

/** @returns undefined where there is no such attribute */
export function fromTexts(
  attribute: AttributeValue | undefined,
): Record<string, string> | undefined {
  return (
    attribute?.M &&
    Object.fromEntries(Object.entries(attribute.M).map(([name, { S = "" }]) => [name, S]))
  );
}

/** @returns undefined where there is no such attribute */
export function numberIn(attribute: AttributeValue | undefined): number | undefined {
  return attribute?.N === undefined ? undefined : Number(attribute.N);
}

/** The row of a link. DynamoDB deletes it 90 days after the link has expired. */
export function linkItem(link: UploadLink) {
  const { max_files, max_bytes, content_types, metadata, note, revoked_at } = link;
  return {
    ...linkKey(link.link_id),
    listed: { S: LISTED },
    created_at: { S: link.created_at },
    expires_at: { S: link.expires_at },
    ...(max_files !== undefined && { max_files: { N: String(max_files) } }),
    ...(max_bytes !== undefined && { max_bytes: { N: String(max_bytes) } }),
    ...(content_types && { content_types: { L: content_types.map((type) => ({ S: type })) } }),
    ...(metadata && { metadata: toTexts(metadata) }),
    ...(note !== undefined && { note: { S: note } }),
    ...(revoked_at !== undefined && { revoked_at: { S: revoked_at } }),
    taken: { N: String(link.taken) },
    stored: { N: String(link.stored) },
    removed_at: { N: String(Math.ceil(Date.parse(link.expires_at) / 1000) + KEPT_SECONDS) },
  };
}

/** @param item as `linkItem` makes it */
export function fromLinkItem(item: Item): UploadLink {
  const link: UploadLink = {
    link_id: item.link_id?.S ?? "",
    created_at: item.created_at?.S ?? "",
    expires_at: item.expires_at?.S ?? "",
    taken: numberIn(item.taken) ?? 0,
    stored: numberIn(item.stored) ?? 0,
  };
  const max_files = numberIn(item.max_files);
  const max_bytes = numberIn(item.max_bytes);
  const metadata = fromTexts(item.metadata);
  return {
    ...link,
    ...(max_files !== undefined && { max_files }),
    ...(max_bytes !== undefined && { max_bytes }),
    ...(item.content_types?.L && {
      content_types: item.content_types.L.map(({ S = "" }) => S),
    }),
    ...(metadata && { metadata }),
    ...(item.note?.S !== undefined && { note: item.note.S }),
    ...(item.revoked_at?.S !== undefined && { revoked_at: item.revoked_at.S }),
  };
}
