import type { EventStatus } from "../events/event";
import type { RetrySummary } from "./answers";
import { Failure } from "./errors";
import { type EventFilter, type Manager, MAX_PAGE } from "./manager";
import { detailLines, eventLines, statsLines } from "./tables";

/** What every command works with. */
export interface Context {
  manager: Manager;
  /** One JSON object a line, for programs. */
  json: boolean;
  /** One call a line of the result. */
  write: (line: string) => void;
}

export interface ListOptions extends EventFilter {
  status?: EventStatus;
  order?: "asc" | "desc";
  /** How many events; page by page, if they are many. */
  limit?: number;
  all?: boolean;
}

const PEOPLE_ROWS = 20;
const PROGRAM_ROWS = 100;

/** Lists events, each page as soon as it is there. */
export async function listEvents(context: Context, options: ListOptions): Promise<void> {
  const { manager, json, write } = context;
  const { all, limit = json ? PROGRAM_ROWS : PEOPLE_ROWS, ...filter } = options;
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
        : eventLines(events, shown === 0);
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
    write("There are more: see them with --limit or --all.");
  }
}

export async function showEvent({ manager, json, write }: Context, eventId: string): Promise<void> {
  const details = await manager.show(eventId);
  const lines = json ? [JSON.stringify(details)] : detailLines(details);
  lines.forEach(write);
}

async function retryOne({ manager, json, write }: Context, eventId: string): Promise<void> {
  const retried = await manager.retry(eventId);
  write(
    json
      ? JSON.stringify(retried)
      : `${retried.event_id} is ${retried.event_status} again, and goes on from there.`,
  );
}

function added(sum: RetrySummary, page: RetrySummary): RetrySummary {
  const notMoved = { ...sum.not_moved };
  for (const [reason, count] of Object.entries(page.not_moved)) {
    notMoved[reason] = (notMoved[reason] ?? 0) + count;
  }
  return {
    dry_run: sum.dry_run,
    matched: sum.matched + page.matched,
    moved: sum.moved + page.moved,
    not_moved: notMoved,
  };
}

function summaryLine({ dry_run, matched, moved, not_moved }: RetrySummary): string {
  const done = dry_run ? "would be retried" : "are retried";
  const reasons = Object.entries(not_moved).map(([reason, count]) => `${count} ${reason}`);
  const rest = reasons.length > 0 ? `; not moved: ${reasons.join(", ")}` : "";
  return `${moved} of ${matched} failed events ${done}${rest}.`;
}

async function retryAll(
  { manager, json, write }: Context,
  filter: EventFilter,
  dryRun: boolean,
): Promise<void> {
  let sum: RetrySummary = { dry_run: dryRun, matched: 0, moved: 0, not_moved: {} };
  let cursor: string | undefined;
  try {
    do {
      const { next_cursor, ...page } = await manager.retryFailed({ ...filter, dryRun, cursor });
      sum = added(sum, page);
      cursor = next_cursor ?? undefined;
    } while (cursor !== undefined);
  } catch (error) {
    if (cursor !== undefined) {
      // What was done before stays done.
      write(json ? JSON.stringify(sum) : `Before it stopped: ${summaryLine(sum)}`);
    }
    throw error;
  }
  write(json ? JSON.stringify(sum) : summaryLine(sum));
  const { write_failed: unwritten = 0 } = sum.not_moved;
  if (unwritten > 0) {
    throw new Failure("write_failed", `The table took no change of ${unwritten}; retry again.`);
  }
}

export interface RetryOptions extends EventFilter {
  allFailed?: boolean;
  dryRun?: boolean;
}

/** @returns what is wrong: there has to be either an id or `allFailed` */
export function wrongRetry(
  eventId: string | undefined,
  { from, to, dryRun, allFailed = false }: RetryOptions,
): string | undefined {
  if ((eventId === undefined) !== allFailed) {
    return "give either an event's id or --all-failed";
  }
  return eventId !== undefined && [from, to, dryRun].some((option) => option !== undefined)
    ? "--from, --to and --dry-run go with --all-failed"
    : undefined;
}

/** @param eventId of one event, or undefined for all that are failed */
export async function retryEvents(
  context: Context,
  eventId: string | undefined,
  { from, to, dryRun = false }: RetryOptions,
): Promise<void> {
  await (eventId === undefined
    ? retryAll(context, { from, to }, dryRun)
    : retryOne(context, eventId));
}

export async function deleteEvent(
  { manager, json, write }: Context,
  eventId: string,
): Promise<void> {
  await manager.delete(eventId);
  write(
    json
      ? JSON.stringify({ event_id: eventId, deleted: true })
      : `${eventId} is deleted, with its file.`,
  );
}

export async function showStats({ manager, json, write }: Context): Promise<void> {
  const stats = await manager.stats();
  const lines = json ? [JSON.stringify(stats)] : statsLines(stats);
  lines.forEach(write);
}
