/** Names that an execution environment keeps between invocations. */
export interface RecentNames {
  has(name: string): boolean;
  add(name: string): void;
}

/** The oldest name is dropped when there are more. */
const MAX_NAMES = 100_000;

/**
 * An empty set of names. It is lost with its execution environment: use it to save work, not for
 * correctness.
 */
export function recentNames(): RecentNames {
  const names = new Set<string>();
  return {
    has: (name) => names.has(name),
    add: (name) => {
      names.add(name);
      if (names.size > MAX_NAMES) {
        const [oldest] = names;
        names.delete(oldest ?? name);
      }
    },
  };
}
