import { useEffect, useState } from "preact/hooks";
import { EVENT_STATUSES } from "../../../events/event";
import { countText } from "../../shared/units";
import type { Stats, UploadLink } from "../api/answers";
import { eventsHref, type Filter } from "../route";
import { useSession } from "../ui/context";
import { replaceRoute } from "../useRoute";

/** The statuses, with the number of events in each, as links to their lists. */
export function StatusTabs({ filter, stats }: { filter: Filter; stats: Stats | undefined }) {
  const tabs = [undefined, ...EVENT_STATUSES];
  return (
    <nav aria-label="Statuses" class="tabs">
      {tabs.map((status) => {
        const count = status ? stats?.counts[status] : stats?.total;
        return (
          <a
            key={status ?? "all"}
            href={eventsHref({ ...filter, status })}
            class={`tab${status ? ` tab-${status}` : ""}`}
            aria-current={filter.status === status ? "page" : undefined}
          >
            {status ?? "all"} <b>{count === undefined ? "–" : countText(count)}</b>
          </a>
        );
      })}
    </nav>
  );
}

/** The value of an `<input type="datetime-local">`: the reader's own time. */
function localTime(iso: string | undefined): string {
  if (iso === undefined || Number.isNaN(Date.parse(iso))) {
    return "";
  }
  const time = new Date(iso);
  const shifted = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

function isoTime(local: string): string | undefined {
  return local === "" ? undefined : new Date(local).toISOString();
}

/** The links that the list can be restricted to; the API's newest hundred. */
function useLinkChoices(): UploadLink[] {
  const { api } = useSession();
  const [links, setLinks] = useState<UploadLink[]>([]);
  useEffect(() => {
    const controller = new AbortController();
    api.links({ limit: 100 }, controller.signal).then(
      (page) => {
        setLinks(page.links);
      },
      // The list works without; the page of links shows the error.
      () => undefined,
    );
    return () => {
      controller.abort();
    };
  }, []);
  return links;
}

/** The end of the id: its beginning is the time, and the same for links of the same minute. */
function linkLabel({ note, link_id }: UploadLink): string {
  return note ? `${note.slice(0, 40)} (…${link_id.slice(-8)})` : link_id;
}

/** The conditions of a list of events. They are in the URL's fragment. */
export function Filters({ filter }: { filter: Filter }) {
  const links = useLinkChoices();
  const change = (part: Filter) => {
    replaceRoute(eventsHref({ ...filter, ...part }));
  };
  // On a phone only, where they would push the list off the screen.
  const [isOpen, setOpen] = useState(
    filter.from !== undefined || filter.to !== undefined || filter.link_id !== undefined,
  );
  const hasFilter = Object.keys(filter).some(
    (name) => name !== "status" && filter[name as keyof Filter] !== undefined,
  );
  const isListed = links.some(({ link_id }) => link_id === filter.link_id);
  return (
    <form
      role="search"
      aria-label="Events"
      class={`filters${isOpen ? " open" : ""}`}
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <label>
        Name, of the loaded events
        <input
          type="search"
          value={filter.name ?? ""}
          onInput={(event) => {
            change({ name: event.currentTarget.value });
          }}
        />
      </label>
      <button
        type="button"
        class="more-filters"
        aria-expanded={isOpen}
        onClick={() => {
          setOpen(!isOpen);
        }}
      >
        Filter by time and link
      </button>
      <label>
        From
        <input
          type="datetime-local"
          value={localTime(filter.from)}
          onChange={(event) => {
            change({ from: isoTime(event.currentTarget.value) });
          }}
        />
      </label>
      <label>
        To
        <input
          type="datetime-local"
          value={localTime(filter.to)}
          onChange={(event) => {
            change({ to: isoTime(event.currentTarget.value) });
          }}
        />
      </label>
      <label>
        Link
        <select
          value={filter.link_id ?? ""}
          onChange={(event) => {
            change({ link_id: event.currentTarget.value });
          }}
        >
          <option value="">any</option>
          {filter.link_id !== undefined && !isListed && (
            <option value={filter.link_id}>{filter.link_id}</option>
          )}
          {links.map((link) => (
            <option key={link.link_id} value={link.link_id}>
              {linkLabel(link)}
            </option>
          ))}
        </select>
      </label>
      <a
        class={`button${hasFilter ? "" : " invisible"}`}
        href={eventsHref({ status: filter.status })}
      >
        Clear
      </a>
    </form>
  );
}
