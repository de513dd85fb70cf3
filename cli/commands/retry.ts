import { Failure } from "../errors";
import type { RetrySummary } from "../manager/answers";
import type { EventFilter } from "../manager/managerClient";
import type { Context } from "./context";

/** `eventId` or `allFailed`; the others only with `allFailed`. */
export interface RetryOptions extends EventFilter {
  allFailed?: boolean;
  dryRun?: boolean;
}

/** @returns a message about options that do not go together; undefined for valid ones */
export function retryUsageError(
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

async function retryOne({ manager, json, write }: Context, eventId: string): Promise<void> {
  const retried = await manager.retry(eventId);
  write(
    json
      ? JSON.stringify(retried)
      : `${retried.event_id} is ${retried.event_status} again, and goes on from there.`,
  );
}

function sumOf(sum: RetrySummary, page: RetrySummary): RetrySummary {
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

/** Requests in a row that moved nothing, each of which has waited for some seconds. */
const MAX_VAIN_REQUESTS = 60;

async function retryAll(
  { manager, json, write }: Context,
  filter: EventFilter,
  dryRun: boolean,
): Promise<void> {
  let sum: RetrySummary = { dry_run: dryRun, matched: 0, moved: 0, not_moved: {} };
  let cursor: string | undefined;
  let vainRequests = 0;
  try {
    do {
      const {
        next_cursor,
        held_back: isHeldBack = false,
        ...page
      } = await manager.retryFailed({
        ...filter,
        dryRun,
        cursor,
      });
      sum = sumOf(sum, page);
      cursor = next_cursor ?? undefined;
      vainRequests = isHeldBack && page.moved === 0 ? vainRequests + 1 : 0;
      if (vainRequests === MAX_VAIN_REQUESTS) {
        throw new Failure(
          "held_back",
          "The events that were retried do not advance, so no more are retried. " +
            "See whether the process and notify Lambdas work, then retry again.",
        );
      }
    } while (cursor !== undefined);
  } catch (error) {
    if (cursor !== undefined) {
      // Earlier requests have taken effect.
      write(json ? JSON.stringify(sum) : `Before it stopped: ${summaryLine(sum)}`);
    }
    throw error;
  }
  write(json ? JSON.stringify(sum) : summaryLine(sum));
  const { write_failed: writeFailures = 0 } = sum.not_moved;
  if (writeFailures > 0) {
    throw new Failure("write_failed", `The table took no change of ${writeFailures}; retry again.`);
  }
}

/**
 * Retries one event, or all failed ones.
 *
 * @param eventId undefined for all failed events
 */
export async function retryEvents(
  context: Context,
  eventId: string | undefined,
  { from, to, dryRun = false }: RetryOptions,
): Promise<void> {
  await (eventId === undefined
    ? retryAll(context, { from, to }, dryRun)
    : retryOne(context, eventId));
}
