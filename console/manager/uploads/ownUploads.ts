import { asApiError } from "../../shared/apiError";
import { openMemory, openTransfers, type Transfers } from "../../shared/transfers";
import type { Api } from "../api/api";

/** The uploads of an operator. They go on while other pages of the console are open. */
export interface OwnUploads extends Transfers {
  /** @returns ends the subscription */
  subscribe: (onChange: () => void) => () => void;
}

/** Opens the manager's uploads in parts, whose requests need the operator's key. */
export function openOwnUploads(api: Api): OwnUploads {
  const listeners = new Set<() => void>();
  const transfers = openTransfers({
    serverUrl: api.baseUrl,
    send: api.fetch,
    memory: openMemory("console"),
    onChange: () => {
      listeners.forEach((listener) => {
        listener();
      });
    },
    isStored: (eventId) =>
      api.event(eventId).then(
        () => true,
        (thrown: unknown) => {
          if (asApiError(thrown).status === 404) {
            return false;
          }
          throw thrown;
        },
      ),
  });
  return {
    ...transfers,
    subscribe(onChange) {
      listeners.add(onChange);
      return () => {
        listeners.delete(onChange);
      };
    },
  };
}
