import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../shared/apiError";
import { type Memory, openTransfers, type Transfer, type Transfers } from "../shared/transfers";
import { typeOf } from "./checks";
import type { LinkApi } from "./link";

interface Listeners {
  /** Called once for each file that is sent. */
  onSent: (transfer: Transfer) => void;
  /** Called for each file that is refused. */
  onFailed: (transfer: Transfer) => void;
}

/** Warns before the page is left. */
function useWarning(isActive: boolean): void {
  useEffect(() => {
    if (!isActive) {
      return undefined;
    }
    const warn = (event: BeforeUnloadEvent) => {
      event.preventDefault();
    };
    addEventListener("beforeunload", warn);
    return () => {
      removeEventListener("beforeunload", warn);
    };
  }, [isActive]);
}

/** Renders each second, for times that run down. */
function useTicks(isActive: boolean): void {
  const [, tick] = useState(0);
  useEffect(() => {
    if (!isActive) {
      return undefined;
    }
    const timer = setInterval(() => {
      tick((count) => count + 1);
    }, 1000);
    return () => {
      clearInterval(timer);
    };
  }, [isActive]);
}

/** Whether the link has the whole file. */
async function isStored(api: LinkApi, eventId: string): Promise<boolean> {
  try {
    await api.file(eventId);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) {
      return false;
    }
    throw error;
  }
}

/**
 * The transfers of this visit.
 *
 * @returns undefined before the first render is done; their list
 */
export function useTransfers(
  api: LinkApi,
  memory: Memory,
  listeners: Listeners,
): [Transfers | undefined, Transfer[]] {
  const [transfers, setTransfers] = useState<Transfers>();
  const [list, setList] = useState<Transfer[]>([]);
  const current = useRef(listeners);
  current.current = listeners;

  useEffect(() => {
    const opened = openTransfers({
      serverUrl: api.url,
      send: api.send,
      memory,
      typeOf,
      isStored: (eventId) => isStored(api, eventId),
      onChange: () => {
        setList(opened.list());
      },
      onSent: (transfer) => {
        current.current.onSent(transfer);
      },
      onFailed: (transfer) => {
        current.current.onFailed(transfer);
      },
    });
    setTransfers(opened);
    return () => {
      opened.close();
    };
  }, [api, memory]);

  useWarning(list.some(({ state }) => ["waiting", "sending", "interrupted"].includes(state)));
  useTicks(list.some(({ state }) => state === "interrupted"));
  return [transfers, list];
}
