import type { EventStatus } from "../../events/event";
import { type EventFilter, MAX_PAGE } from "../manager/managerClient";
import { eventLines } from "../output/tables";
import type { Context } from "./context";

export interface ListOptions extends EventFilter {
  status?: EventStatus;
  order?: "asc" | "desc";
  /** Events to list, in one or more pages. @default 20, with `json` 100 */
  limit?: number;
  /** List all, without a limit. */
  all?: boolean;
}

const DEFAULT_TEXT_LIMIT = 20;
const DEFAULT_JSON_LIMIT = 100;

/** Lists events, and prints each page as soon as it arrives. */
export async function listEvents(context: Context, options: ListOptions): Promise<void> {
  const { manager, json, write } = context;
  const { all, limit = json ? DEFAULT_JSON_LIMIT : DEFAULT_TEXT_LIMIT, ...filter } = options;
  let left = all ? Infinity : limit;
  let shown = 0;
  let cursor: string | undefined;
  do {
    const { events, next_cursor } = await manager.list({
      ...filter,
      limit: Math.min(left, MAX_PAGE),
      cursor,
    });
    if (events.length > 0) {
      const lines = json
        ? events.map((event) => JSON.stringify(event))
        : eventLines(events, shown === 0, context.width);
      lines.forEach(write);
    }
    shown += events.length;
    left -= events.length;
    cursor = next_cursor ?? undefined;
  } while (cursor !== undefined && left > 0);
  if (json) {
    return;
  }
  if (shown === 0) {
    write("There are no such events.");
  } else if (cursor !== undefined) {
    write("There are more: see them with --limit or --all, as in npm run events -- list --all");
  }
}
