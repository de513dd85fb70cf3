import {
  countsKey,
  type CountsTable,
  NO_PERIOD,
  readItems,
  updateItem,
} from "./counts/countsTable";

/**
 * The upload's key up to which the bucket was searched for uploads without a row.
 *
 * @returns undefined before the first run
 */
export async function readListingPosition(table: CountsTable): Promise<string | undefined> {
  const [item] = await readItems(table, "listing", { from: NO_PERIOD, to: NO_PERIOD });
  return item?.up_to?.S;
}

/** @returns false when the position is there or further already */
export function moveListingPosition(table: CountsTable, key: string): Promise<boolean> {
  return updateItem(table, countsKey("listing", NO_PERIOD), {
    update: "SET up_to = :up_to",
    condition: "attribute_not_exists(kind) OR up_to < :up_to",
    values: { up_to: { S: key } },
  });
}
