import { useEffect, useState } from "preact/hooks";
import { type ApiError, asApiError } from "../../shared/apiError";
import type { LinkPage, UploadLink } from "../api/answers";
import type { Pace } from "../api/pace";
import { usePolling } from "../api/polling";
import { useSession } from "../ui/context";
import { ErrorNotice, PageHeading } from "../ui/parts";
import { LinkCard, linkName } from "./linkCard";
import { NewLinkForm } from "./newLinkForm";

const PACE: Pace = { fastest: 5000, slowest: 30_000 };

const PAGE = 50;

/** The newest links anew, before those that were loaded by further pages. */
export function withNewestLinks(links: UploadLink[], page: LinkPage): UploadLink[] {
  const known = new Set(page.links.map(({ link_id }) => link_id));
  const last = page.links.at(-1);
  const older = links.filter(
    ({ link_id }) => !known.has(link_id) && last !== undefined && link_id < last.link_id,
  );
  return page.next_cursor === null ? page.links : [...page.links, ...older];
}

function withLink(links: UploadLink[], link: UploadLink): UploadLink[] {
  return links.some(({ link_id }) => link_id === link.link_id)
    ? links.map((each) => (each.link_id === link.link_id ? link : each))
    : [link, ...links];
}

/** All links, newest first. */
export function LinksPage() {
  const { api, notify } = useSession();
  const [links, setLinks] = useState<UploadLink[]>();
  const [next, setNext] = useState<string | null>();
  const [error, setError] = useState<ApiError>();

  useEffect(() => {
    scrollTo(0, 0);
  }, []);

  const refresh = usePolling(
    async (signal) => {
      try {
        const page = await api.links({ limit: PAGE }, signal);
        setLinks((before = []) => withNewestLinks(before, page));
        setNext((before) => (before === undefined ? page.next_cursor : before));
        setError(undefined);
        return JSON.stringify(page.links) !== JSON.stringify(links?.slice(0, PAGE));
      } catch (thrown) {
        if (!signal.aborted) {
          setError(asApiError(thrown));
        }
        throw thrown;
      }
    },
    PACE,
    "links",
  );

  const loadMore = async (cursor: string) => {
    try {
      const page = await api.links({ limit: PAGE, cursor });
      setLinks((before = []) => [...before, ...page.links]);
      setNext(page.next_cursor);
    } catch (thrown) {
      setError(asApiError(thrown));
    }
  };

  return (
    <>
      <PageHeading title="Links">Links</PageHeading>
      <p>By a link, others upload without a key. Whoever has its URL can use it.</p>
      <NewLinkForm
        onCreated={(link) => {
          setLinks((before = []) => withLink(before, link));
          notify({ text: `Created: ${linkName(link)}. Copy its URL from the list.` });
        }}
      />
      {error && <ErrorNotice error={error} retry={refresh} />}
      {!links && !error && <p role="status">Loading…</p>}
      {links?.length === 0 && <p class="empty">There is no link yet.</p>}
      {links?.map((link) => (
        <LinkCard
          key={link.link_id}
          link={link}
          onChange={(changed) => {
            setLinks((before = []) => withLink(before, changed));
          }}
        />
      ))}
      {next && (
        <p class="more">
          <button type="button" onClick={() => void loadMore(next)}>
            Load more
          </button>
        </p>
      )}
    </>
  );
}

/** One link. */
export function OneLinkPage({ linkId }: { linkId: string }) {
  const { api } = useSession();
  const [link, setLink] = useState<UploadLink>();
  const [error, setError] = useState<ApiError>();

  const refresh = usePolling(
    async (signal) => {
      try {
        setLink(await api.link(linkId, signal));
        setError(undefined);
        return false;
      } catch (thrown) {
        if (!signal.aborted) {
          setError(asApiError(thrown));
        }
        throw thrown;
      }
    },
    PACE,
    linkId,
  );

  return (
    <>
      <p>
        <a href="#/links">← Links</a>
      </p>
      <PageHeading title={link ? linkName(link) : "Link"}>Link</PageHeading>
      {error && <ErrorNotice error={error} retry={refresh} />}
      {!link && !error && <p role="status">Loading…</p>}
      {link && <LinkCard link={link} onChange={setLink} />}
    </>
  );
}
