/** Calls in flight at the same time where the caller sets no limit. */
const DEFAULT_LIMIT = 16;

/**
 * Calls `work` for each item, at most `limit` at a time, and waits for all calls.
 *
 * @returns the items whose call failed, with the error, in the order of the items
 */
export async function forEachConcurrently<T>(
  items: T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<{ item: T; error: unknown }[]> {
  const failures: ({ item: T; error: unknown } | undefined)[] = items.map(() => undefined);
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) {
      try {
        await work(item);
      } catch (error) {
        failures[index] = { item, error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return failures.filter((failure) => failure !== undefined);
}

/**
 * Calls `work` for each item, 16 at a time.
 *
 * @throws the error of the first item that failed, after all calls have ended
 */
export async function forEachOrThrow<T>(
  items: T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const failures = await forEachConcurrently(items, DEFAULT_LIMIT, work);
  if (failures[0]) {
    throw failures[0].error;
  }
}

/**
 * As `forEachOrThrow`.
 *
 * @returns the results, in the order of the items
 */
export async function mapConcurrently<T, R>(
  items: T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  await forEachOrThrow([...items.entries()], async ([index, item]) => {
    results[index] = await work(item);
  });
  return results;
}
