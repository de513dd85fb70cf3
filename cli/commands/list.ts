import type { EventStatus } from "../../events/event";
import { type EventFilter, MAX_PAGE } from "../manager/managerClient";
import { eventLines } from "../output/tables";
import type { Context } from "./context";
import { type ListLimits, writePages } from "./pages";

export interface ListOptions extends EventFilter, ListLimits {
  status?: EventStatus;
  /** Id of a link: only the files that came through it. */
  link?: string;
  order?: "asc" | "desc";
}

/** Lists events, and prints each page as soon as it arrives. */
export async function listEvents(context: Context, options: ListOptions): Promise<void> {
  const { manager, json, width } = context;
  const { all, limit, link, ...filter } = options;
  await writePages(
    context,
    { all, limit },
    {
      maxPage: MAX_PAGE,
      read: async (query) => {
        const { events, next_cursor } = await manager.list({
          ...filter,
          ...query,
          ...(link !== undefined && { link_id: link }),
        });
        return { items: events, next_cursor };
      },
      linesOf: (events, isFirst) =>
        json ? events.map((event) => JSON.stringify(event)) : eventLines(events, isFirst, width),
      none: "There are no such events.",
      command: "list",
    },
  );
}
