import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Api } from "../api/api";
import type { LoadedEvents } from "../events/loadedEvents";
import type { OwnUploads } from "../uploads/ownUploads";

/** A message about what an operator has just done. */
export interface Notice {
  text: string;
  isBad?: boolean;
}

/** The list of events that was left last, to come back to. */
export interface LeftList {
  href: string;
  /** The parameters of `GET /events` that it was read with. */
  key: string;
  loaded: LoadedEvents;
  scrollY: number;
}

/** What all pages of the console share while an operator is signed in. */
export interface Session {
  api: Api;
  notify: (notice: Notice | undefined) => void;
  uploads: OwnUploads;
  /** Mutable. */
  left: { list?: LeftList };
}

const context = createContext<Session | undefined>(undefined);

export const SessionProvider = context.Provider;

export function useSession(): Session {
  const session = useContext(context);
  if (!session) {
    throw new Error("Nobody is signed in.");
  }
  return session;
}
