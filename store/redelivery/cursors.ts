import { DeleteItemCommand } from "@aws-sdk/client-dynamodb";
import { countsKey, type CountsTable, readItems, updateItem } from "../counts/countsTable";
import type { PageKey } from "../timeIndex";
import { BEGINNING, END } from "../timeRange";

/** Where runs of the sweeper ended, by partition of the index: the key of the last row. */
export type Cursors = ReadonlyMap<string, PageKey>;

export async function readCursors(table: CountsTable): Promise<Cursors> {
  const items = await readItems(table, "cursor", { from: BEGINNING, to: END });
  return new Map(
    items.flatMap(({ period, reached }) =>
      period?.S !== undefined && reached?.S !== undefined
        ? [[period.S, JSON.parse(reached.S) as PageKey]]
        : [],
    ),
  );
}

/** @param after undefined: the next run begins at the partition's beginning */
export async function moveCursor(
  table: CountsTable,
  partition: string,
  after: PageKey | undefined,
): Promise<void> {
  const key = countsKey("cursor", partition);
  if (after) {
    await updateItem(table, key, {
      update: "SET reached = :reached",
      condition: "attribute_not_exists(kind) OR reached <> :reached",
      values: { reached: { S: JSON.stringify(after) } },
    });
    return;
  }
  await table.dynamo.send(new DeleteItemCommand({ TableName: table.countsTableName, Key: key }));
}
