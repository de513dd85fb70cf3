import { BEGINNING } from "../timeRange";
import { countsKey, type CountsTable, NO_PERIOD, readItems, updateItem } from "./countsTable";

/** How far the sweeper has come in sealing periods. All three fields only increase. */
export interface Watermark {
  /** The period up to which all are sealed, marked, or empty. */
  up_to: string;
  /** The period up to which those with events were found once, and marked. */
  scanned_to: string;
  /** ISO 8601; when `scanned_to` was reached. */
  scanned_at: string;
}

/** @returns undefined before the first run */
export async function readWatermark(table: CountsTable): Promise<Watermark | undefined> {
  const [item] = await readItems(table, "watermark", { from: NO_PERIOD, to: NO_PERIOD });
  return (
    item && {
      up_to: item.up_to?.S ?? BEGINNING,
      scanned_to: item.scanned_to?.S ?? BEGINNING,
      scanned_at: item.scanned_at?.S ?? "",
    }
  );
}

/**
 * Writes the watermark, unless it has changed.
 *
 * @param before the watermark as it was read
 * @returns whether this call wrote it
 */
export function moveWatermark(
  table: CountsTable,
  before: Watermark | undefined,
  { up_to, scanned_to, scanned_at }: Watermark,
): Promise<boolean> {
  const condition = "up_to = :old_up_to AND scanned_to = :old_to AND scanned_at = :old_at";
  return updateItem(table, countsKey("watermark", NO_PERIOD), {
    update: "SET up_to = :up_to, scanned_to = :to, scanned_at = :at",
    condition: before ? condition : "attribute_not_exists(kind)",
    values: {
      up_to: { S: up_to },
      to: { S: scanned_to },
      at: { S: scanned_at },
      ...(before && {
        old_up_to: { S: before.up_to },
        old_to: { S: before.scanned_to },
        old_at: { S: before.scanned_at },
      }),
    },
  });
}
