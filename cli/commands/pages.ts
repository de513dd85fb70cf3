import type { Context } from "./context";

export interface ListLimits {
  /** Items to list, in one or more pages. @default 20, with `json` 100 */
  limit?: number;
  /** List all, without a limit. */
  all?: boolean;
}

interface Pages<Item> {
  /** Items of the API's largest page. */
  maxPage: number;
  read(query: { limit: number; cursor?: string }): Promise<{
    items: Item[];
    next_cursor: string | null;
  }>;
  linesOf(items: Item[], isFirst: boolean): string[];
  /** Text for an empty list. */
  none: string;
  /** The command, for the hint that there are more. */
  command: string;
}

const DEFAULT_TEXT_LIMIT = 20;

const DEFAULT_JSON_LIMIT = 100;

/** Prints each page of a list as soon as it arrives. */
export async function writePages<Item>(
  { json, write }: Context,
  { all, limit = json ? DEFAULT_JSON_LIMIT : DEFAULT_TEXT_LIMIT }: ListLimits,
  pages: Pages<Item>,
): Promise<void> {
  let left = all ? Infinity : limit;
  let shown = 0;
  let cursor: string | undefined;
  do {
    const { items, next_cursor } = await pages.read({
      limit: Math.min(left, pages.maxPage),
      cursor,
    });
    if (items.length > 0) {
      pages.linesOf(items, shown === 0).forEach(write);
    }
    shown += items.length;
    left -= items.length;
    cursor = next_cursor ?? undefined;
  } while (cursor !== undefined && left > 0);
  if (json) {
    return;
  }
  if (shown === 0) {
    write(pages.none);
  } else if (cursor !== undefined) {
    write(
      `There are more: see them with --limit or --all, as in npm run events -- ${pages.command} --all`,
    );
  }
}
