import { useEffect, useRef, useState } from "preact/hooks";
import type { FileEvent } from "../../../events/event";
import { type ApiError, asApiError } from "../../shared/apiError";
import { bytesText, secondsText } from "../../shared/units";
import type { EventDetails } from "../api/answers";
import { usePolling } from "../api/polling";
import { eventsHref, linkHref } from "../route";
import { Confirmation } from "../ui/confirmation";
import { useSession } from "../ui/context";
import { CopyButton, ErrorNotice, Facts, PageHeading, StatusBadge, Time } from "../ui/parts";
import { nameOf } from "./loadedEvents";
import { Preview } from "./preview";
import { Timeline } from "./timeline";

/** Milliseconds before its end at which a download's link is renewed. */
const RENEWED_BEFORE = 60_000;

function isFinished({ event_status }: FileEvent): boolean {
  return event_status === "notified" || event_status === "failed";
}

function isExpiring({ download }: EventDetails): boolean {
  return download !== undefined && Date.parse(download.expires_at) - Date.now() < RENEWED_BEFORE;
}

interface ShownEvent {
  details?: EventDetails;
  error?: ApiError;
  refresh: () => void;
}

/** An event, kept up to date; its link, too. */
function useEvent(eventId: string): ShownEvent {
  const { api } = useSession();
  const [shown, setShown] = useState<Omit<ShownEvent, "refresh">>({});
  const details = useRef<EventDetails>();
  const refresh = usePolling(
    async (signal) => {
      try {
        const before = details.current;
        const next = await api.event(eventId, signal);
        details.current = next;
        const isChanged =
          before?.event.updated_at !== next.event.updated_at ||
          before.event.event_status !== next.event.event_status;
        // Each answer has another link; a link that works stays, under the operator's pointer.
        if (isChanged || !before.download || isExpiring(before) || !next.download) {
          setShown({ details: next });
        } else {
          details.current = { ...next, download: before.download };
          setShown({ details: details.current });
        }
        return !isFinished(next.event);
      } catch (thrown) {
        if (!signal.aborted) {
          setShown({ details: details.current, error: asApiError(thrown) });
        }
        throw thrown;
      }
    },
    { fastest: 2000, slowest: 30_000 },
    eventId,
  );
  return { ...shown, refresh };
}

function dimensions({ event_result }: FileEvent): string {
  const { width, height } = event_result ?? {};
  return width === undefined || height === undefined ? "" : `${width} × ${height} pixels`;
}

/** Such as `78 kB (78,012 bytes)`. */
function exactSize(size: number | undefined): string {
  if (size === undefined) {
    return "";
  }
  const text = bytesText(size);
  return size < 1000 ? text : `${text} (${size.toLocaleString()} bytes)`;
}

function EventFacts({ details }: { details: EventDetails }) {
  const { event, seconds_in_status = {} } = details;
  const { event_info: info, event_result: result } = event;
  const durations = Object.entries(seconds_in_status).map(
    ([status, seconds]) => `${status} ${secondsText(seconds)}`,
  );
  return (
    <Facts
      facts={[
        ["Event", <code key="id">{event.event_id}</code>],
        ["Time", <Time key="time" iso={event.event_timestamp} />],
        ["Last change", <Time key="updated" iso={event.updated_at} />],
        ["Size", exactSize(result?.size ?? info.Size)],
        ["Type", result?.type],
        ["Declared type", result?.declared_type ?? info.ContentType],
        ["Dimensions", dimensions(event)],
        [
          `Checksum${result?.checksum_algorithm ? `, ${result.checksum_algorithm}` : ""}`,
          (result?.checksum ?? info.Checksum) && (
            <code key="sum">{result?.checksum ?? info.Checksum}</code>
          ),
        ],
        ["Bucket", info.Bucket],
        ["Key", <code key="key">{info.Key}</code>],
        ["ETag", info.ETag && <code key="etag">{info.ETag}</code>],
        ["Version", info.VersionId && <code key="version">{info.VersionId}</code>],
        [
          "Link",
          event.link_id && (
            <a key="link" href={linkHref(event.link_id)}>
              {event.link_id}
            </a>
          ),
        ],
        ["Redeliveries", event.attempts?.toString()],
        ["Failed from", event.failed_from],
        ["Alarm", event.alarmed_at && <Time key="alarm" iso={event.alarmed_at} />],
        ["Time in each status", durations.join(", ")],
      ]}
    />
  );
}

function Actions({ shown, onDeleted }: { shown: ShownEvent; onDeleted: () => void }) {
  const { api, notify } = useSession();
  const [isDeleting, setDeleting] = useState(false);
  const [isRetrying, setRetrying] = useState(false);
  const { details, refresh } = shown;
  if (!details) {
    return null;
  }
  const { event, download, no_download: noDownload } = details;

  const retry = async () => {
    setRetrying(true);
    try {
      await api.retry(event.event_id);
      notify({ text: "Retried: the pipeline goes on with the event." });
    } catch (thrown) {
      const { message, status, code } = asApiError(thrown);
      notify({ text: `Not retried: ${message} (${status} ${code})`, isBad: true });
    }
    setRetrying(false);
    refresh();
  };

  const remove = async () => {
    try {
      await api.deleteEvent(event.event_id);
      notify({ text: `Deleted: ${nameOf(event)}` });
    } catch (thrown) {
      const error = asApiError(thrown);
      if (error.status !== 404) {
        refresh();
        throw error;
      }
      notify({ text: `Somebody else has deleted it already: ${nameOf(event)}` });
    }
    onDeleted();
  };

  return (
    <div class="actions">
      {download ? (
        <a class="button primary" href={download.url} referrerpolicy="no-referrer">
          Download
        </a>
      ) : (
        noDownload && (
          <p class="muted">
            No download: {noDownload.message} ({noDownload.code})
          </p>
        )
      )}
      {event.event_status === "failed" && (
        <button type="button" disabled={isRetrying} onClick={() => void retry()}>
          {isRetrying ? "Retrying…" : "Retry"}
        </button>
      )}
      <button
        type="button"
        class="danger"
        disabled={!isFinished(event)}
        title={isFinished(event) ? undefined : "Only a finished event can be deleted."}
        onClick={() => {
          setDeleting(true);
        }}
      >
        Delete…
      </button>
      {isDeleting && (
        <Confirmation
          title="Delete the file and its event?"
          action="Delete"
          isDangerous
          confirm={remove}
          close={() => {
            setDeleting(false);
          }}
        >
          <p>
            <bdi>{nameOf(event)}</bdi> is deleted for good, for everyone.
          </p>
        </Confirmation>
      )}
    </div>
  );
}

/** An event with all that is known of it. */
export function EventPage({ eventId }: { eventId: string }) {
  const { left } = useSession();
  const shown = useEvent(eventId);
  const { details, error, refresh } = shown;
  const event = details?.event;
  const back = left.list?.href ?? eventsHref();
  const isGone = error?.status === 404;

  useEffect(() => {
    scrollTo(0, 0);
  }, []);

  return (
    <>
      <p>
        <a href={back}>← Events</a>
      </p>
      <div class="heading heading-event">
        <PageHeading title={event ? nameOf(event) : "Event"}>
          <bdi>{event ? nameOf(event) : "Event"}</bdi>
        </PageHeading>
        {event && !isGone && <StatusBadge status={event.event_status} />}
      </div>
      {error && <ErrorNotice error={error} retry={isGone ? undefined : refresh} />}
      {isGone && details && (
        <p class="notice">
          The event was deleted after this page was opened, perhaps by another operator.
        </p>
      )}
      {!event && !error && <p role="status">Loading…</p>}
      {event && !isGone && (
        <>
          {event.last_error && (
            <div class="notice notice-bad">
              <h2>{event.event_status === "failed" ? "Error" : "Last error"}</h2>
              <p>
                <b>{event.last_error.code}</b>, in the step <b>{event.last_error.step}</b>
              </p>
              <pre>{event.last_error.message}</pre>
            </div>
          )}
          <Actions
            shown={shown}
            onDeleted={() => {
              location.hash = back;
            }}
          />
          <div class="columns">
            <section aria-label="Facts">
              <h2>Facts</h2>
              <EventFacts details={details} />
              {event.event_info.Metadata && (
                <>
                  <h2>Metadata</h2>
                  <Facts facts={Object.entries(event.event_info.Metadata)} />
                </>
              )}
            </section>
            <section aria-label="History">
              {details.download && (
                <Preview key={event.event_info.ETag} event={event} url={details.download.url} />
              )}
              <h2>History</h2>
              {event.event_history ? (
                <Timeline history={event.event_history} />
              ) : (
                <p class="muted">The row has none: version 1.0 wrote it.</p>
              )}
            </section>
          </div>
          <details>
            <summary>The answer of the API</summary>
            <div class="raw">
              <CopyButton text={JSON.stringify(event, null, 2)} what="the event as JSON" />
              <pre>{JSON.stringify(event, null, 2)}</pre>
            </div>
          </details>
        </>
      )}
    </>
  );
}
