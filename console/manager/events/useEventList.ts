import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type ApiError, asApiError } from "../../shared/apiError";
import type { EventPage } from "../api/answers";
import type { Pace } from "../api/pace";
import { usePolling } from "../api/polling";
import { eventsHref, type Filter } from "../route";
import { useSession } from "../ui/context";
import {
  hasGap,
  type LoadedEvents,
  type Span,
  withNewest,
  withNextPage,
  withSpan,
} from "./loadedEvents";

/** One request every two to ten seconds: ten operators use a tenth of the default throttle. */
const PACE: Pace = { fastest: 2000, slowest: 10_000 };

/** Events read anew at each poll. */
const NEWEST = 100;

/** Events of a page that is asked for: the most that the API gives. */
const PAGE = 500;

/** Between two polls, up to this many new events are read; if there are more, the list begins anew. */
const MOST_NEW = 5000;

export interface EventList {
  /** undefined: nothing is loaded yet. */
  loaded?: LoadedEvents;
  /** What is shown is of another filter: the new one's events are on their way. */
  isOutdated: boolean;
  isLoadingMore: boolean;
  error?: ApiError;
  loadMore: () => void;
  /** Reads the list anew now. */
  refresh: () => void;
  /** Tells which events are visible: they are kept up to date, too. */
  watch: (span: Span | undefined) => void;
}

/** The parameters of `GET /events` without the name, which is searched for in the loaded events. */
function queryOf({ status, from, to, link_id }: Filter) {
  return { status, from, to, link_id };
}

/** The end of a span as the parameter `to`, which is exclusive. */
function afterTime(time: string): string {
  return new Date(Date.parse(time) + 1).toISOString();
}

/** The list of events that a filter selects, kept up to date. */
export function useEventList(filter: Filter): EventList {
  const { api, left } = useSession();
  const query = queryOf(filter);
  const key = JSON.stringify(query);
  const state = useRef<{ key: string; loaded?: LoadedEvents }>({ key: "" });
  const visible = useRef<Span>();
  const [, render] = useState(0);
  const [error, setError] = useState<ApiError>();
  const [isLoadingMore, setLoadingMore] = useState(false);

  if (state.current.loaded === undefined && left.list?.key === key) {
    state.current = { key, loaded: left.list.loaded };
  }

  const set = (loaded: LoadedEvents): boolean => {
    const { current } = state;
    if (current.key === key && current.loaded === loaded) {
      return false;
    }
    state.current = { key, loaded };
    render((count) => count + 1);
    return true;
  };

  /** The loaded events of this filter. */
  const loadedNow = () => (state.current.key === key ? state.current.loaded : undefined);

  const readNewest = async (signal: AbortSignal): Promise<EventPage> => {
    let page = await api.events({ ...query, limit: NEWEST }, signal);
    const loaded = loadedNow();
    while (loaded && hasGap(loaded, page) && page.events.length < MOST_NEW) {
      const cursor = page.next_cursor ?? undefined;
      const more = await api.events({ ...query, limit: PAGE, cursor }, signal);
      page = { events: [...page.events, ...more.events], next_cursor: more.next_cursor };
    }
    return page;
  };

  /** Reads the visible events, where they are not among the newest. */
  const readVisible = async (newest: EventPage, signal: AbortSignal): Promise<boolean> => {
    const span = visible.current;
    const last = newest.events.at(-1);
    if (!span || !last || newest.next_cursor === null || span.oldest >= last.event_timestamp) {
      return false;
    }
    const times = { from: span.oldest, to: afterTime(span.newest) };
    const { events, next_cursor } = await api.events({ ...query, ...times, limit: PAGE }, signal);
    const loaded = loadedNow();
    return loaded && next_cursor === null ? set(withSpan(loaded, span, events)) : false;
  };

  const refresh = usePolling(
    async (signal) => {
      try {
        const page = await readNewest(signal);
        const loaded = loadedNow();
        const isChanged = set(
          loaded ? withNewest(loaded, page) : { events: page.events, next: page.next_cursor },
        );
        const isVisibleChanged = await readVisible(page, signal);
        setError(undefined);
        return isChanged || isVisibleChanged;
      } catch (thrown) {
        if (!signal.aborted) {
          setError(asApiError(thrown));
        }
        throw thrown;
      }
    },
    PACE,
    key,
  );

  const loadMore = async () => {
    const cursor = loadedNow()?.next;
    if (!cursor || isLoadingMore) {
      return;
    }
    setLoadingMore(true);
    try {
      const page = await api.events({ ...query, limit: PAGE, cursor });
      const loaded = loadedNow();
      // A list that began anew meanwhile has another end.
      if (loaded?.next === cursor) {
        set(withNextPage(loaded, page));
      }
      setError(undefined);
    } catch (thrown) {
      setError(asApiError(thrown));
    }
    setLoadingMore(false);
  };

  const href = eventsHref(filter);
  useLayoutEffect(
    () => () => {
      const { loaded } = state.current;
      if (loaded) {
        left.list = { href, key: state.current.key, loaded, scrollY };
      }
    },
    [href],
  );

  return {
    loaded: state.current.loaded,
    isOutdated: state.current.key !== key,
    isLoadingMore,
    error,
    loadMore: () => void loadMore(),
    refresh,
    watch: (span) => {
      visible.current = span;
    },
  };
}
