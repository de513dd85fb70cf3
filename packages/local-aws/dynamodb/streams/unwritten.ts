import { isDeepStrictEqual } from "node:util";
import type { Item } from "../dynalite";
import type { StreamEntry } from "./streamRecord";

/** More than are on their way to their rows at one time. */
const CHECKED = 1000;

/**
 * Marks the last records of an earlier run whose rows were not written: a record is in its file before
 * its row is, and a process may be killed in between. They are found by their images: the row is as it
 * was before the change.
 *
 * @param entries have both images
 * @param readRow gives a row by its key, undefined where there is none
 */
export async function markUnwritten(
  entries: readonly StreamEntry[],
  readRow: (keys: Item) => Promise<Item | undefined>,
): Promise<void> {
  const byKey = Map.groupBy(entries.slice(-CHECKED), ({ record }) =>
    JSON.stringify(record.dynamodb.Keys),
  );
  for (const ofKey of byKey.values()) {
    const [first] = ofKey;
    let row = first && (await readRow(first.record.dynamodb.Keys));
    for (const entry of ofKey.reverse()) {
      const { OldImage, NewImage } = entry.record.dynamodb;
      if (isDeepStrictEqual(row, NewImage)) {
        row = OldImage;
      } else if (isDeepStrictEqual(row, OldImage)) {
        entry.written = false;
      } else {
        // The row was changed without a record, while the table had no stream.
        break;
      }
    }
  }
}
