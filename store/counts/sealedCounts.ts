import { endOf, type TimeRange } from "../timeRange";
import { countsKey, type CountsTable, readItems, updateItem } from "./countsTable";

/** Numbers of finished events. */
export interface Finished {
  notified: number;
  failed: number;
}

/** The counts of a period or of a day. */
export interface FinishedIn extends Finished {
  period: string;
}

/** The counts of sealed periods, or of days, oldest first. */
export async function readFinished(
  table: CountsTable,
  kind: "sealed" | "day",
  range: TimeRange,
): Promise<FinishedIn[]> {
  const items = await readItems(table, kind, range);
  return items.map((item) => ({
    period: item.period?.S ?? "",
    notified: Number(item.notified?.N ?? 0),
    failed: Number(item.failed?.N ?? 0),
  }));
}

/**
 * Writes a period's counts, unless the table has newer ones.
 *
 * @param countedAt ISO 8601
 */
export function writeSealed(
  table: CountsTable,
  { period, notified, failed }: FinishedIn,
  countedAt: string,
): Promise<boolean> {
  return updateItem(table, countsKey("sealed", period), {
    update: "SET notified = :notified, failed = :failed, counted_at = :counted_at",
    condition: "attribute_not_exists(kind) OR counted_at < :counted_at",
    values: {
      notified: { N: String(notified) },
      failed: { N: String(failed) },
      counted_at: { S: countedAt },
    },
  });
}

export function sumOf(counts: Finished[]): Finished {
  return counts.reduce<Finished>(
    (sum, { notified, failed }) => ({
      notified: sum.notified + notified,
      failed: sum.failed + failed,
    }),
    { notified: 0, failed: 0 },
  );
}

/**
 * Writes the sum of a day's sealed periods.
 *
 * @returns false when another run wrote it at the same time, possibly without the newest counts
 */
export async function writeDaySum(table: CountsTable, day: string): Promise<boolean> {
  // Read before the periods, so that the condition detects every sum written after this read.
  const [before] = await readItems(table, "day", { from: day, to: day });
  const sealed = await readFinished(table, "sealed", { from: day, to: endOf(day) });
  const { notified, failed } = sumOf(sealed);
  const version = Number(before?.version?.N ?? 0);
  return updateItem(table, countsKey("day", day), {
    update: "SET notified = :notified, failed = :failed, version = :next",
    condition: before ? "version = :version" : "attribute_not_exists(kind)",
    values: {
      notified: { N: String(notified) },
      failed: { N: String(failed) },
      next: { N: String(version + 1) },
      ...(before && { version: { N: String(version) } }),
    },
  });
}
