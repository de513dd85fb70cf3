import type { World } from "../world";
import { INDEX_IS_EXACT, STATS_ARE_EXACT, type Violation, violation } from "./violation";

/** `GET /stats` counts as a scan does. */
export function statsAreExact({ rows, stats }: World): Violation[] {
  const scanned: Record<string, number> = {};
  for (const { event_status } of rows) {
    scanned[event_status] = (scanned[event_status] ?? 0) + 1;
  }
  const statuses = new Set([...Object.keys(stats), ...Object.keys(scanned)]);
  return [...statuses].flatMap((status) => {
    const [counted = 0, found = 0] = [stats[status], scanned[status]];
    return violation(
      STATS_ARE_EXACT,
      `${status}: ${counted} by /stats, ${found} by a scan`,
      counted === found ? [] : [status],
    );
  });
}

/** The violations of a table and its index, each a list of items in DynamoDB's JSON. */
export function violationsOfIndex({
  rows,
  indexed,
}: Record<"rows" | "indexed", Record<string, Record<string, unknown>>[]>): Violation[] {
  const without = (some: typeof rows, others: typeof rows): string[] => {
    const texts = new Set(others.map(textOf));
    return some
      .filter((item) => !texts.has(textOf(item)))
      .map((item) => `${String(item.event_id?.S)} (${String(item.event_status?.S)})`);
  };
  return [
    ...violation(INDEX_IS_EXACT, "entries without their row", without(indexed, rows)),
    ...violation(INDEX_IS_EXACT, "rows without their entry", without(rows, indexed)),
  ];
}

function textOf(item: object): string {
  return JSON.stringify(Object.entries(item).sort());
}
