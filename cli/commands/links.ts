import type { Link, NewLink } from "../manager/linkClient";
import { MAX_PAGE } from "../manager/managerClient";
import { linkLines, linkTableLines, untilOf } from "../output/linkTables";
import { plainText } from "../output/plainText";
import type { Context } from "./context";
import { type ListLimits, writePages } from "./pages";

export interface LinkOptions {
  /** Seconds. */
  expiresIn: number;
  maxFiles?: number;
  maxBytes?: number;
  contentTypes?: string[];
  metadata?: Record<string, string>;
  note?: string;
}

function newLink(options: LinkOptions): NewLink {
  const { expiresIn, maxFiles, maxBytes, contentTypes, metadata, note } = options;
  return {
    expires_in: expiresIn,
    max_files: maxFiles,
    max_bytes: maxBytes,
    content_types: contentTypes,
    metadata,
    note,
  };
}

/** Makes a link, and prints its URL on a line of its own. */
export async function createLink(
  { manager, json, write }: Context,
  options: LinkOptions,
): Promise<void> {
  const link = await manager.links.create(newLink(options));
  const lines = json
    ? [JSON.stringify(link)]
    : [plainText(link.url), `Link ${link.link_id} works until ${untilOf(link)} (UTC).`];
  lines.forEach(write);
}

/** Lists links, the newest first, and prints each page as soon as it arrives. */
export async function listLinks(context: Context, options: ListLimits): Promise<void> {
  const { manager, json, width } = context;
  await writePages(context, options, {
    maxPage: MAX_PAGE,
    read: async (query) => {
      const { links, next_cursor } = await manager.links.list(query);
      return { items: links, next_cursor };
    },
    linesOf: (links, isFirst) =>
      json ? links.map((link) => JSON.stringify(link)) : linkTableLines(links, isFirst, width),
    none: "There are no links.",
    command: "link list",
  });
}

function writeLink({ json, write }: Context, link: Link): void {
  const lines = json ? [JSON.stringify(link)] : linkLines(link);
  lines.forEach(write);
}

/** Shows one link with its URL, its limits and the number of its files. */
export async function showLink(context: Context, linkId: string): Promise<void> {
  writeLink(context, await context.manager.links.show(linkId));
}

/** Ends a link. */
export async function revokeLink(context: Context, linkId: string): Promise<void> {
  const link = await context.manager.links.revoke(linkId);
  if (context.json) {
    writeLink(context, link);
    return;
  }
  context.write(
    `${link.link_id} is revoked: no upload begins or ends through it any more. Files that it has ` +
      "brought stay.",
  );
}
