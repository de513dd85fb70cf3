import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { countText, secondsText } from "../../shared/units";
import type { Stats } from "../api/answers";
import { usePolling } from "../api/polling";
import { eventHref, type Filter } from "../route";
import { HourChart } from "../stats/hourChart";
import { useSession } from "../ui/context";
import { ErrorNotice, PageHeading } from "../ui/parts";
import { EmptyState } from "./emptyState";
import { EventTable } from "./eventTable";
import { Filters, StatusTabs } from "./filters";
import { withName } from "./loadedEvents";
import { RetryAll } from "./retryAll";
import { useEventList } from "./useEventList";

/** Milliseconds between two counts while something changes: a count costs more than a page of the list. */
const FASTEST_STATS = 5000;

/** @param list counts anew after it has changed */
function useStats(list: object | undefined): { stats?: Stats; refresh: () => void } {
  const { api } = useSession();
  const [stats, setStats] = useState<Stats>();
  const countedAt = useRef(0);
  const refresh = usePolling(
    async (signal) => {
      countedAt.current = performance.now();
      const next = await api.stats(signal);
      const isChanged = JSON.stringify(next.counts) !== JSON.stringify(stats?.counts);
      setStats(next);
      return isChanged;
    },
    { fastest: FASTEST_STATS, slowest: 30_000 },
    "stats",
  );
  useEffect(() => {
    const wait = countedAt.current + FASTEST_STATS - performance.now();
    const timer = setTimeout(refresh, Math.max(0, wait));
    return () => {
      clearTimeout(timer);
    };
  }, [list]);
  return { stats, refresh };
}

function OldestUnfinished({ stats }: { stats: Stats | undefined }) {
  const oldest = stats?.oldest_unfinished;
  return (
    <p class="muted oldest">
      {oldest ? (
        <>
          Oldest unfinished: <a href={eventHref(oldest.event_id)}>{oldest.event_status}</a>, for{" "}
          {secondsText(oldest.age_seconds)}
        </>
      ) : (
        stats !== undefined && stats.total > 0 && "Every event is finished."
      )}
    </p>
  );
}

/** What a list shows: how many of how many, and whether more can be loaded. */
function countLine(shown: number, loaded: number, filter: Filter, hasMore: boolean): string {
  const all = `${countText(loaded)} ${loaded === 1 ? "event" : "events"}`;
  const more = hasMore ? " loaded; there are more" : "";
  return filter.name ? `${countText(shown)} of ${all}${more}` : `${all}${more}`;
}

/** The list of events. */
export function EventsPage({ filter }: { filter: Filter }) {
  const { left } = useSession();
  const list = useEventList(filter);
  const { stats, refresh: refreshStats } = useStats(list.loaded);
  const [isRetrying, setRetrying] = useState(false);
  const { loaded, error, isLoadingMore } = list;
  const events = useMemo(
    () => withName(loaded?.events ?? [], filter.name ?? ""),
    [loaded, filter.name],
  );
  const hasMore = loaded !== undefined && loaded.next !== null;
  const isUnfiltered = Object.values(filter).every((value) => value === undefined);

  // An operator who comes back from an event finds the list where it was.
  const [scrollY] = useState(left.list?.scrollY ?? 0);
  useLayoutEffect(() => {
    scrollTo(0, loaded ? scrollY : 0);
  }, []);

  return (
    <>
      <div class="heading">
        <PageHeading title={filter.status ? `Events: ${filter.status}` : "Events"}>
          Events
        </PageHeading>
        {filter.status === "failed" && (
          <button
            type="button"
            onClick={() => {
              setRetrying(true);
            }}
          >
            Retry all failed…
          </button>
        )}
      </div>
      <div class="overview">
        <div>
          <StatusTabs filter={filter} stats={stats} />
          <OldestUnfinished stats={stats} />
        </div>
        <HourChart />
      </div>
      <Filters filter={filter} />
      {error && <ErrorNotice error={error} retry={list.refresh} />}
      <p role="status" class="muted count">
        {loaded ? countLine(events.length, loaded.events.length, filter, hasMore) : "Loading…"}
      </p>
      {loaded?.events.length === 0 && !list.isOutdated ? (
        <EmptyState isUnfiltered={isUnfiltered} />
      ) : (
        <EventTable
          events={events}
          isBusy={loaded === undefined || list.isOutdated}
          onVisible={list.watch}
          onNearEnd={() => {
            // A name may be in none of the next ten thousand: those are loaded by the button.
            if (!filter.name) {
              list.loadMore();
            }
          }}
        />
      )}
      {hasMore && (
        <p class="more">
          <button type="button" disabled={isLoadingMore} onClick={list.loadMore}>
            {isLoadingMore ? "Loading…" : "Load 500 more"}
          </button>
        </p>
      )}
      {isRetrying && (
        <RetryAll
          filter={filter}
          close={() => {
            setRetrying(false);
            list.refresh();
            refreshStats();
          }}
        />
      )}
    </>
  );
}
