import { randomUUID } from "node:crypto";
import type { Metadata } from "../../events/metadata";
import { jsonOf } from "../http/answer";
import { type Sleep, withRetries } from "../http/retries";
import { type ManagerRequests, queryString } from "./requests";

/** The body of `POST /links`. */
export interface NewLink {
  /** Seconds. */
  expires_in: number;
  max_files?: number;
  /** Of each file. */
  max_bytes?: number;
  content_types?: string[];
  metadata?: Metadata;
  note?: string;
}

/** A link, as every route answers it. */
export interface Link extends Omit<NewLink, "expires_in"> {
  link_id: string;
  /** Who has it may send files. */
  url: string;
  /** ISO 8601. */
  created_at: string;
  expires_at: string;
  revoked_at?: string;
  status: "open" | "expired" | "revoked" | "used_up";
  files: {
    /** Those under way, too. */
    taken: number;
    stored: number;
  };
}

export interface LinkPage {
  links: Link[];
  /** Null on the last page. */
  next_cursor: string | null;
}

/** The routes for links. All methods throw Failure. */
export interface LinkClient {
  create(link: NewLink): Promise<Link>;
  list(query: { limit: number; cursor?: string }): Promise<LinkPage>;
  show(linkId: string): Promise<Link>;
  revoke(linkId: string): Promise<Link>;
}

function pathOf(linkId: string): string {
  return `/links/${encodeURIComponent(linkId)}`;
}

export function linkClient(requests: ManagerRequests, wait: Sleep): LinkClient {
  return {
    create: async (link) => {
      // Makes a repeated request the same one.
      const headers = { "idempotency-key": randomUUID() };
      const answer = await withRetries(() => requests.once("POST", "/links", link, headers), wait);
      return jsonOf(answer) as Link;
    },
    list: async (query) => (await requests.get(`/links${queryString(query)}`)) as LinkPage,
    show: async (linkId) => (await requests.get(pathOf(linkId))) as Link,
    revoke: async (linkId) => jsonOf(await requests.change("DELETE", pathOf(linkId))) as Link,
  };
}
