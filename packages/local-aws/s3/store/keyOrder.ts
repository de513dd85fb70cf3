/** Keys in the order in which S3 lists them: that of their bytes in UTF-8. */
export interface KeyOrder {
  add(key: string): void;
  remove(key: string): void;
  /** One page of the keys, with those that share a delimiter gathered under a common prefix. */
  page(options?: PageOptions): KeyPage;
  /** All keys, in order. */
  all(): readonly string[];
}

export interface PageOptions {
  /** @default "" */
  prefix?: string;
  /** @default none: no common prefixes */
  delimiter?: string;
  /** Counts keys and common prefixes. @default 1000 */
  maxKeys?: number;
  /** A key, or the `next` of the page before: only what follows it is listed. @default "" */
  after?: string;
}

export interface KeyPage {
  keys: string[];
  commonPrefixes: string[];
  isTruncated: boolean;
  /** The last key or common prefix of a page that is truncated. */
  next?: string;
}

/**
 * Sorts at the first listing, and keeps the order from then on: adding a key to 100,000 takes some
 * microseconds, a page takes as long as the page is.
 * @param keys gives the keys that are there at the first listing
 */
export function createKeyOrder(keys: () => Iterable<string>): KeyOrder {
  let sorted: string[] | undefined;
  const all = () => (sorted ??= [...keys()].sort(compareKeys));

  return {
    add(key) {
      if (!sorted) {
        return;
      }
      const at = indexOf(sorted, key);
      if (sorted[at] !== key) {
        sorted.splice(at, 0, key);
      }
    },
    remove(key) {
      if (!sorted) {
        return;
      }
      const at = indexOf(sorted, key);
      if (sorted[at] === key) {
        sorted.splice(at, 1);
      }
    },
    all,
    page({ prefix = "", delimiter = "", maxKeys = 1000, after = "" } = {}) {
      const names = all();
      const page: KeyPage = { keys: [], commonPrefixes: [], isTruncated: false };
      let last: string | undefined;
      let at = compareKeys(after, prefix) > 0 ? indexOf(names, after) : indexOf(names, prefix);
      for (;;) {
        const key = names[at];
        if (!key?.startsWith(prefix) || maxKeys === 0) {
          return page;
        }
        const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
        const name = end < 0 ? key : key.slice(0, end + delimiter.length);
        if (after === "" || compareKeys(name, after) > 0) {
          if (page.keys.length + page.commonPrefixes.length >= maxKeys) {
            return { ...page, isTruncated: true, next: last };
          }
          (end < 0 ? page.keys : page.commonPrefixes).push(name);
          last = name;
        }
        at = end < 0 ? at + 1 : endOfPrefix(names, name, at);
      }
    },
  };
}

/** UTF-16 puts surrogates, which stand for the highest code points, before U+E000 to U+FFFF. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) {
      return rank(left) - rank(right);
    }
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** A key's index, or its insertion index. */
function indexOf(sorted: readonly string[], key: string): number {
  return firstIndex(sorted, 0, (other) => compareKeys(other, key) >= 0);
}

/** The first key from `start` on that does not begin with the prefix; that at `start` does. */
function endOfPrefix(sorted: readonly string[], prefix: string, start: number): number {
  return firstIndex(sorted, start, (key) => !key.startsWith(prefix));
}

/** @param reached false for a first part of the keys, true for the rest */
function firstIndex(
  sorted: readonly string[],
  start: number,
  reached: (key: string) => boolean,
): number {
  let low = start;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (reached(sorted[middle] ?? "")) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}
