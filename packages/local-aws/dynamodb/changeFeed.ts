import { isDeepStrictEqual } from "node:util";
import type { Commit, Item, ItemWrite } from "./dynalite";

/** One change of one item, as a DynamoDB stream sees it. Attribute values are DynamoDB JSON. */
export interface ItemChange {
  eventName: "INSERT" | "MODIFY" | "REMOVE";
  keys: Item;
  oldImage?: Item;
  newImage?: Item;
}

/**
 * Called with a change BEFORE the row is written. The function it returns is called after the write
 * (`true`: the row is written) and before the caller gets its answer. If the listener throws, the
 * row is not written and the caller gets the error.
 */
export type ChangeListener = (change: ItemChange) => (written: boolean) => void;

/** A table whose changes are observed. */
export interface ObservedTable {
  /** The names of its key attributes. */
  keyNames: readonly string[];
  /** May still grow. */
  listeners: readonly ChangeListener[];
}

/**
 * Puts a change feed before the writes of items. dynalite writes inside its lock on the key, so that
 * the old item is the one that is replaced, and one key's changes arrive in order.
 */
export function observeChanges(
  commit: Commit,
  tableOf: (name: string) => ObservedTable | undefined,
): Commit {
  return async (writes) => {
    const ends: ((written: boolean) => void)[] = [];
    let isWritten = false;
    try {
      for (const write of writes) {
        const { keyNames, listeners } = tableOf(write.tableName) ?? NOT_OBSERVED;
        const change = listeners.length > 0 ? changeOf(keyNames, write) : undefined;
        if (change) {
          for (const listener of listeners) {
            ends.push(listener(change));
          }
        }
      }
      await commit(writes);
      isWritten = true;
    } finally {
      for (const end of ends) {
        end(isWritten);
      }
    }
  };
}

const NOT_OBSERVED: ObservedTable = { keyNames: [], listeners: [] };

function changeOf(
  keyNames: readonly string[],
  { oldItem: oldImage, item: written }: ItemWrite,
): ItemChange | undefined {
  // A copy in plain JSON, as it is stored; `written` may change later.
  const newImage = written && (JSON.parse(JSON.stringify(written)) as Item);
  const item = newImage ?? oldImage;
  // On AWS, a delete of a missing item and a write that changes nothing leave no stream record.
  if (!item || isDeepStrictEqual(oldImage, newImage)) {
    return undefined;
  }
  const keys = Object.fromEntries(keyNames.map((name) => [name, item[name] ?? {}]));
  if (!newImage) {
    return { eventName: "REMOVE", keys, oldImage };
  }
  if (!oldImage) {
    return { eventName: "INSERT", keys, newImage };
  }
  return { eventName: "MODIFY", keys, oldImage, newImage };
}
