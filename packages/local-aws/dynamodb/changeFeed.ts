import { isDeepStrictEqual } from "node:util";
import type { Item, ItemDb } from "./dynalite";

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

/**
 * Puts a change feed around a table's rows. dynalite calls `put` and `del` inside its lock on the
 * key, so that the old item is the one that is replaced, and one key's changes arrive in order.
 * @param keyNames the names of the table's key attributes
 * @param listeners may still grow after the call
 */
export function observeChanges(
  itemDb: ItemDb,
  keyNames: readonly string[],
  listeners: readonly ChangeListener[],
): ItemDb {
  const write = (
    key: string,
    newImage: Item | undefined,
    apply: (callback: (error: Error | null) => void) => void,
    callback: (error: Error | null) => void,
  ): void => {
    itemDb.get(key, (error, oldImage) => {
      if (error && error.name !== "NotFoundError") {
        callback(error);
        return;
      }
      let settle: ((written: boolean) => void)[] = [];
      try {
        const change = changeOf(keyNames, oldImage, newImage);
        if (change) {
          settle = listeners.map((listener) => listener(change));
        }
      } catch (error) {
        callback(error as Error);
        return;
      }
      apply((error) => {
        try {
          settle.forEach((end) => {
            end(!error);
          });
        } catch (failed) {
          callback(failed as Error);
          return;
        }
        callback(error);
      });
    });
  };
  return {
    ...itemDb,
    put: (key, item, callback) => {
      // A copy in plain JSON, as it is stored; `item` may change later.
      const newImage = JSON.parse(JSON.stringify(item)) as Item;
      write(
        key,
        newImage,
        (done) => {
          itemDb.put(key, item, done);
        },
        callback,
      );
    },
    del: (key, callback) => {
      write(
        key,
        undefined,
        (done) => {
          itemDb.del(key, done);
        },
        callback,
      );
    },
  };
}

function changeOf(
  keyNames: readonly string[],
  oldImage: Item | undefined,
  newImage: Item | undefined,
): ItemChange | undefined {
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
