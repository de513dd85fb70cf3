/** What an execution environment remembers between invocations. */
export interface Memory {
  has(name: string): boolean;
  add(name: string): void;
}

/** Names to remember before the oldest are forgotten. */
const MAX_NAMES = 100_000;

/** An empty memory. It ends with its environment, so nothing may depend on it but work saved. */
export function memory(): Memory {
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
